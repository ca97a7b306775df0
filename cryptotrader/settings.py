"""The only reader of environment and settings file. Every name here is the environment variable's, in lower case.

Fractions are fractions although some names say PCT (they are the original's): 0.02 means 2 %.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cryptotrader.core.grid.config import Sizing, Spacing, StartMode
from cryptotrader.core.market import FeeIn
from cryptotrader.errors import SettingsRefused


class MarketSource(StrEnum):
    """What moves a paper bot's prices."""

    REPLAY = "replay"
    LIVE = "live"


def _fraction(value: Decimal) -> Decimal:
    if not 0 < value < 1:
        raise ValueError(f"{value} is not a fraction between 0 and 1: 0.02 means 2 %")
    return value


Fraction = Annotated[Decimal, AfterValidator(_fraction)]


class Settings(BaseSettings):
    """What a user can set, from the environment first, then from the file `.env` in the working folder."""

    model_config = SettingsConfigDict(env_file=".env", extra="forbid", frozen=True, hide_input_in_errors=True)

    cryptotrader_home: Path = Field(Path("var"), description="folder of databases, logs and the Prefect server")
    database_url: str = Field("", description="our database; empty: SQLite in CRYPTOTRADER_HOME")

    exchange_name: str = Field("binance", description="exchange by its ccxt name")
    exchange_api_key: SecretStr | None = Field(None, description="key; paper trading needs none")
    exchange_api_secret: SecretStr | None = Field(None, description="its secret")
    exchange_testnet: bool = Field(True, description="use the exchange's test network")
    exchange_rest_url: str = Field("", description="origin of a gateway, mirror or test venue")
    exchange_ws_url: str = Field("", description="the same for WebSocket")
    exchange_allowed_hosts: str = Field("", description="hosts beside loopback that these URLs may name, by comma")

    trading_symbol: str = Field("BTC/USDT", pattern=r"^[A-Z0-9]+/[A-Z0-9]+$", description="symbol of the first bot")
    trading_dry_run: bool = Field(True, description="paper money; `run --live` is refused while this is set to true")
    trading_market: MarketSource = Field(MarketSource.REPLAY, description="what moves paper prices: replay or live")
    trading_fee_in: FeeIn = Field(FeeIn.BASE, description="asset of the paper fees: base, quote or third")
    trading_deposit: Decimal = Field(Decimal(10_000), gt=0, description="paper money in the account, in quote")

    candles: Path | None = Field(None, description="candle file for the replay; empty: a SYNTHETIC series")
    replay_speed: int = Field(60, ge=1, le=100_000, description="market seconds per second of a replay")
    replay_seed: int = Field(7, ge=0, description="seed of the SYNTHETIC series")

    grid_lower: Decimal | None = Field(None, gt=0, description="lowest level; empty: 20 % below the first price")
    grid_upper: Decimal | None = Field(None, gt=0, description="highest level; empty: 20 % above the first price")
    grid_num_grids: int = Field(40, ge=2, description="number of cells")
    grid_spacing: Spacing = Field(Spacing.ARITHMETIC, description="arithmetic or geometric")
    grid_sizing: Sizing = Field(Sizing.BASE, description="equal base or equal quote a cell")
    grid_investment: Decimal = Field(Decimal(10_000), gt=0, description="what the first bot may use, in quote")
    grid_start: StartMode = Field(StartMode.MARKET, description="market, limit, existing or cash")

    risk_pct_per_trade: Fraction = Field(Decimal("0.02"), description="fraction of equity at risk per position")
    max_drawdown_pct: Fraction = Field(Decimal("0.15"), description="fraction of equity, from its high-water mark")
    max_daily_loss_pct: Fraction = Field(Decimal("0.05"), description="fraction of equity, per day")

    telegram_bot_token: SecretStr | None = Field(None, description="alerts to Telegram")
    telegram_chat_id: str = Field("", description="the chat for them")
    discord_webhook_url: SecretStr | None = Field(None, description="alerts to Discord")

    prefect_port: int = Field(4200, ge=1, le=65535, description="port of the local Prefect server, loopback only")
    tend_every_seconds: int = Field(60, ge=10, le=3600, description="how often the scheduled run tends all bots")

    @cached_property
    def home(self) -> Path:
        """The data folder as an absolute path."""
        return self.cryptotrader_home.expanduser().resolve()

    @property
    def database(self) -> str:
        """The database as a synchronous SQLAlchemy URL."""
        return normalise_database_url(self.database_url) if self.database_url else f"sqlite:///{self.data}/trading.db"

    @property
    def paper_book(self) -> Path:
        """The paper exchange's own database file."""
        return self.data / "paper.db"

    @property
    def data(self) -> Path:
        """The folder of one market's databases: each market has its own, so that one can be left and taken up again."""
        if self.trading_market is MarketSource.LIVE:
            source = f"live-{self.exchange_name}"
        else:
            source = self.candles.stem if self.candles else f"synthetic-{self.replay_seed}"
        return self.home / re.sub(r"[^a-z0-9]+", "-", f"{self.trading_symbol} {source}".lower()).strip("-")


def normalise_database_url(url: str) -> str:
    """Return the synchronous form of a database URL.

    `sqlite+aiosqlite` (the original's) and `postgresql` name the same databases as `sqlite` and `postgresql+psycopg`.

    Raises:
        SettingsRefused: another kind of database. The message never shows the URL's password.
    """
    scheme, sep, rest = url.partition("://")
    known = {"sqlite": "sqlite", "sqlite+aiosqlite": "sqlite", "postgresql": "postgresql+psycopg",
             "postgresql+psycopg": "postgresql+psycopg"}  # fmt: skip
    if not sep or scheme not in known:
        raise SettingsRefused(
            f"DATABASE_URL starts with {scheme.split(':')[0]!r}.",
            field="DATABASE_URL",
            value=scheme.split(":")[0],
            hint="Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
        )
    if scheme.startswith("sqlite") and urlsplit(url).netloc:
        raise SettingsRefused(
            "DATABASE_URL names a host for SQLite.", field="DATABASE_URL", hint="Use three slashes: sqlite:///FILE."
        )
    return f"{known[scheme]}://{rest}"


def load_settings(**overrides: object) -> Settings:
    """Read the environment and `.env`; keyword arguments win over both.

    Raises:
        SettingsRefused: the first setting that cannot be used, by its name, with what would work.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"]).upper() or "settings"
        if first["type"] == "extra_forbidden":
            raise SettingsRefused(
                f"{name} in .env is not a setting.", field=name, hint="See the table of settings in README.md."
            ) from None
        field = Settings.model_fields.get(name.lower())
        described = f"It is {field.description}." if field and field.description else ""
        raise SettingsRefused(f"{name}: {first['msg']}.", field=name, hint=described) from None
