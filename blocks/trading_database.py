"""The address of our database, from the environment or from a Prefect block."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from blocks import BLOCK_NAME
from cryptotrader.settings import Settings


class TradingDatabase(Block):
    """Hold the URL of the trading database, password included.

    Every field has a default, so that documents saved by older versions still load.
    """

    _block_type_name = "Trading Database"
    _block_type_slug = "trading-database"
    _description = "The database of orders, fills and balances. Empty: SQLite in CRYPTOTRADER_HOME."

    url: SecretStr = Field(SecretStr(""), description="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.")


async def load_trading_database(settings: Settings) -> TradingDatabase | None:
    """Return the environment's database if it names one, else the block 'cryptotrader', else None."""
    if settings.database_url:
        return TradingDatabase(url=SecretStr(settings.database_url))
    try:
        return await TradingDatabase.aload(BLOCK_NAME)
    except ValueError:  # Prefect's way to say that there is no such document
        return None


def database_environment(database: TradingDatabase | None) -> dict[str, str]:
    """Return the database as the environment variable that `Settings` reads; without a URL, none."""
    if database is None or not database.url.get_secret_value():
        return {}
    return {"DATABASE_URL": database.url.get_secret_value()}
