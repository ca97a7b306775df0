"""Keys of an exchange account, from the environment or from a Prefect block."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from blocks import BLOCK_NAME
from cryptotrader.settings import Settings


class ExchangeCredentials(Block):
    """Name an exchange and hold the keys of one account on it.

    Every field has a default, so that documents saved by older versions still load.
    """

    _block_type_name = "Exchange Credentials"
    _block_type_slug = "exchange-credentials"
    _description = "Keys of one exchange account. Paper trading needs none."

    exchange_name: str = Field("binance", description="Exchange by its ccxt name.")
    api_key: SecretStr | None = Field(None, description="API key without the right to withdraw.")
    api_secret: SecretStr | None = Field(None, description="The secret that belongs to the key.")
    testnet: bool = Field(True, description="Use the exchange's test network.")


async def load_exchange_credentials(settings: Settings) -> ExchangeCredentials | None:
    """Return the environment's credentials if it holds a key, else the block 'cryptotrader', else None."""
    if settings.exchange_api_key is not None:
        return ExchangeCredentials(
            exchange_name=settings.exchange_name,
            api_key=settings.exchange_api_key,
            api_secret=settings.exchange_api_secret,
            testnet=settings.exchange_testnet,
        )
    try:
        return await ExchangeCredentials.aload(BLOCK_NAME)
    except ValueError:  # Prefect's way to say that there is no such document
        return None


def credentials_environment(credentials: ExchangeCredentials | None) -> dict[str, str]:
    """Return credentials as the environment variables that `Settings` reads; without a key, none."""
    if credentials is None or credentials.api_key is None:
        return {}
    variables = {
        "EXCHANGE_NAME": credentials.exchange_name,
        "EXCHANGE_TESTNET": str(credentials.testnet).lower(),
        "EXCHANGE_API_KEY": credentials.api_key.get_secret_value(),
    }
    if credentials.api_secret is not None:
        variables["EXCHANGE_API_SECRET"] = credentials.api_secret.get_secret_value()
    return variables
