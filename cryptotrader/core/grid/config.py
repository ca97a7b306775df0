"""What a user asks of a grid, as a value; `plan` checks it against a market."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum

from cryptotrader.core.market import decimal_from
from cryptotrader.errors import GridRefused


class Spacing(StrEnum):
    """How levels divide the range: equal differences or equal ratios."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


class Sizing(StrEnum):
    """What is equal in every cell: the base quantity, or the quote amount."""

    BASE = "base"
    QUOTE = "quote"


class StartMode(StrEnum):
    """How the cells above the price get the base that they sell."""

    MARKET = "market"
    LIMIT = "limit"
    EXISTING = "existing"
    CASH = "cash"


class StartOutside(StrEnum):
    """What to do when the bot starts with the price outside the range."""

    WAIT = "wait"
    START = "start"
    REFUSE = "refuse"


class ForeignCancel(StrEnum):
    """What to do with a cell whose order a person cancelled."""

    PARK = "park"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class GridConfig:
    """A grid as asked for. Prices and money in quote, fractions as fractions.

    Attributes:
        num_grids: number of cells N; there are N + 1 levels.
        investment: quote that the bot may use; None when `quantity` says it all.
        quantity: base per cell, instead of a size computed from the investment.
        holdings: base assigned to the bot at its start (`StartMode.EXISTING`).
        slippage: how much worse than the price the START order may fill.
        reserve: fraction of the investment that is never planned with.
        trigger_price: wait until the price has traded through it.
        stop_loss_price, take_profit_price: end the bot when price trades through.
        compound: let quantities grow with realised profit.
        laid_out_at: the price at which a change of a running bot sized its cells; None: the start price. Ours to set.
    """

    symbol: str
    lower: Decimal
    upper: Decimal
    num_grids: int
    investment: Decimal | None
    spacing: Spacing = Spacing.ARITHMETIC
    sizing: Sizing = Sizing.BASE
    quantity: Decimal | None = None
    start: StartMode = StartMode.MARKET
    holdings: Decimal = Decimal(0)
    slippage: Decimal = Decimal("0.001")
    reserve: Decimal = Decimal("0.01")
    trigger_price: Decimal | None = None
    stop_loss_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    compound: bool = False
    start_outside: StartOutside = StartOutside.WAIT
    on_foreign_cancel: ForeignCancel = ForeignCancel.PARK
    laid_out_at: Decimal | None = None

    def record(self) -> dict[str, str]:
        """Return the set fields as text, for a database row; `read_config` is the way back."""
        return {f.name: str(value) for f in fields(self) if (value := getattr(self, f.name)) is not None}


def read_config(record: Mapping[str, str]) -> GridConfig:
    """Build a configuration from the text of each field.

    Raises:
        GridRefused: an unknown field, a missing one, or text that does not fit.
    """
    known = {f.name for f in fields(GridConfig)}
    if unknown := sorted(record.keys() - known):
        raise GridRefused(f"{unknown[0]} is not a grid setting.", field=unknown[0], hint=f"Known: {sorted(known)}.")
    values = {name: _READERS.get(name, _read_decimal)(name, text) for name, text in record.items()}
    try:
        return GridConfig(**{"investment": None, **values})  # type: ignore[arg-type]
    except TypeError:
        missing = next(n for n in ("symbol", "lower", "upper", "num_grids") if n not in values)
        raise GridRefused(f"{missing} is missing.", field=missing, hint="Every grid needs it.") from None


def _read_decimal(name: str, text: str) -> Decimal:
    return decimal_from(text, field=name)


def _read_text(_name: str, text: str) -> str:
    return text


def _read_count(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise GridRefused(f"{name} is {text!r}, which is not a whole number.", field=name, value=text) from None


def _read_switch(name: str, text: str) -> bool:
    if text not in ("True", "False"):
        raise GridRefused(f"{name} is {text!r}.", field=name, value=text, hint="Use True or False.")
    return text == "True"


def _read_choice(kind: type[StrEnum]) -> Callable[[str, str], StrEnum]:
    def read(name: str, text: str) -> StrEnum:
        try:
            return kind(text)
        except ValueError:
            words = ", ".join(kind)
            raise GridRefused(f"{name} is {text!r}.", field=name, value=text, hint=f"Use one of: {words}.") from None

    return read


_READERS: Mapping[str, Callable[[str, str], object]] = {
    "symbol": _read_text,
    "num_grids": _read_count,
    "compound": _read_switch,
    "spacing": _read_choice(Spacing),
    "sizing": _read_choice(Sizing),
    "start": _read_choice(StartMode),
    "start_outside": _read_choice(StartOutside),
    "on_foreign_cancel": _read_choice(ForeignCancel),
}
