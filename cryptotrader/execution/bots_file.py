"""Several bots from one TOML file: one `[[bot]]` each, with the names of the command line's flags.

    [[bot]]
    name = "btc"
    symbol = "BTC/USDT"
    lower = 24000
    upper = 33000
    grids = 20
    investment = 1000

Numbers may be written plainly or as text; both are read exactly.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from cryptotrader.core.grid.config import read_config
from cryptotrader.errors import InputRefused
from cryptotrader.execution.commands import NewBot

FIELDS: Mapping[str, str] = {
    "symbol": "symbol", "lower": "lower", "upper": "upper", "grids": "num_grids", "spacing": "spacing",
    "sizing": "sizing", "investment": "investment", "quantity": "quantity", "start": "start", "holdings": "holdings",
    "slippage": "slippage", "reserve": "reserve", "trigger": "trigger_price", "stop_loss": "stop_loss_price",
    "take_profit": "take_profit_price", "compound": "compound", "start_outside": "start_outside",
    "on_foreign_cancel": "on_foreign_cancel",
}  # fmt: skip
"""The fields of a grid by the file's keys."""


def read_bots_file(path: Path) -> tuple[NewBot, ...]:
    """Read the bots of a file, in its order; whether they can trade is checked when they are added.

    Raises:
        InputRefused: a file that cannot be read or is no TOML, an unknown key by its name, a missing or unreadable
            value, two bots of one name, or no bot at all.
    """
    try:
        with path.expanduser().open("rb") as file:
            document = tomllib.load(file, parse_float=Decimal)
    except OSError as error:
        raise _refused(path, f"it cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ArithmeticError) as error:
        raise _refused(path, f"it is no TOML: {error}") from None
    if unknown := sorted(document.keys() - {"bot"}):
        raise _refused(path, f"{unknown[0]} is not known", field=unknown[0])
    tables = document.get("bot")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise _refused(path, "it names no bot")
    bots = tuple(_bot(path, number, table) for number, table in enumerate(tables, start=1))
    for number, bot in enumerate(bots):
        if bot.name in {earlier.name for earlier in bots[:number]}:
            raise _refused(path, f"two bots are called {bot.name!r}", field="name")
    return bots


def _bot(path: Path, number: int, table: Mapping[str, object]) -> NewBot:
    name = table.get("name")
    if not isinstance(name, str):
        raise _refused(path, f"bot {number} has no name", field="name")
    if unknown := sorted(table.keys() - FIELDS.keys() - {"name"}):
        known = ", ".join(("name", *FIELDS))
        raise _refused(path, f"{unknown[0]} of bot {name!r} is not known", field=unknown[0], hint=f"Known: {known}.")
    record = {FIELDS[key]: _text(path, name, key, value) for key, value in table.items() if key != "name"}
    try:
        return NewBot(name, read_config(record))
    except InputRefused as refused:
        refused.message = f"{path}: bot {name!r}: {refused.message}"
        raise


def _text(path: Path, name: str, key: str, value: object) -> str:
    if isinstance(value, str | int | Decimal):
        return str(value)
    raise _refused(path, f"{key} of bot {name!r} is a {type(value).__name__}", field=key, hint="Write one value.")


def _refused(path: Path, why: str, *, field: str = "file", hint: str = "Each bot begins with [[bot]].") -> InputRefused:
    return InputRefused(f"{path}: {why}.", field=field, value=path, hint=hint)
