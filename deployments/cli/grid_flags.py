"""The grid flags, the same for every command that takes a grid, and what they mean."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Annotated, Any, get_type_hints

import typer

from cryptotrader.core.grid.config import GridConfig, Sizing, Spacing, StartMode
from cryptotrader.core.market import FeeIn, Market, decimal_from
from cryptotrader.errors import InputRefused

HUGE, TINY = Decimal("1e18"), Decimal("1e-18")


def _flag(name: str, text: str, panel: str) -> Any:
    return typer.Option(name, help=text, rich_help_panel=panel)


def _number(name: str, text: str, panel: str) -> Any:
    return typer.Option(name, help=text, rich_help_panel=panel, metavar="NUMBER")


GRID, MONEY, MARKET, ENDS = "The grid", "Money", "The market", "When it begins and ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFlags:
    """What a user asks of a grid, as text where it is a number: numbers are read exactly, or refused by name."""

    symbol: Annotated[str, _flag("--symbol", "Base and quote.", GRID)] = "BTC/USDT"
    lower: Annotated[str | None, _number("--lower", "Lowest level.", GRID)] = None
    upper: Annotated[str | None, _number("--upper", "Highest level.", GRID)] = None
    grids: Annotated[str | None, _number("--grids", "Number of cells; there is one level more.", GRID)] = None
    spacing: Annotated[Spacing, _flag("--spacing", "Equal differences or equal ratios.", GRID)] = Spacing.ARITHMETIC
    price: Annotated[str | None, _number("--price", "Start price; left out: the file's first open.", GRID)] = None

    investment: Annotated[str | None, _number("--investment", "What the bot may use, in quote.", MONEY)] = None
    quantity: Annotated[
        str | None, _number("--quantity", "Base in each cell, instead of a size from the investment.", MONEY)
    ] = None
    sizing: Annotated[Sizing, _flag("--sizing", "Equal base or equal quote in each cell.", MONEY)] = Sizing.BASE
    start: Annotated[StartMode, _flag("--start", "How the cells above the price get their base.", MONEY)] = (
        StartMode.MARKET
    )
    holdings: Annotated[str, _number("--holdings", "Base that the bot starts with (--start existing).", MONEY)] = "0"
    reserve: Annotated[str, _number("--reserve", "Fraction never planned with: 0.01 is 1 %.", MONEY)] = "0.01"
    slippage: Annotated[str, _number("--slippage", "How much worse the first purchase may fill.", MONEY)] = "0.001"
    compound: Annotated[bool, typer.Option("--compound", help="Let sizes grow.", rich_help_panel=MONEY)] = False

    fee_in: Annotated[FeeIn, _flag("--fee-in", "Asset that takes the fee of a buy.", MARKET)] = FeeIn.BASE
    maker_fee: Annotated[str, _number("--maker-fee", "Fraction on resting orders.", MARKET)] = "0.001"
    taker_fee: Annotated[str, _number("--taker-fee", "Fraction on orders that fill at once.", MARKET)] = "0.001"
    tick: Annotated[str | None, _number("--tick", "Smallest price step; left out: built in.", MARKET)] = None
    lot: Annotated[str | None, _number("--lot", "Smallest quantity step; left out: built in.", MARKET)] = None
    min_notional: Annotated[
        str | None, _number("--min-notional", "Smallest order in quote; left out: built in.", MARKET)
    ] = None

    trigger: Annotated[str | None, _number("--trigger", "Begin when price trades through this.", ENDS)] = None
    stop_loss: Annotated[str | None, _number("--stop-loss", "End, selling all, below this.", ENDS)] = None
    take_profit: Annotated[str | None, _number("--take-profit", "End, selling all, above this.", ENDS)] = None
    force: Annotated[
        bool, typer.Option("--force", help="Go on although the candles are too coarse.", rich_help_panel=ENDS)
    ] = False

    @property
    def names_a_grid(self) -> bool:
        """Whether a range or a number of cells was given, so that a grid is meant and not the default one."""
        return any(value is not None for value in (self.lower, self.upper, self.grids))

    @property
    def names_market_units(self) -> bool:
        """Whether the market's own rules were overridden."""
        fees = (self.maker_fee, self.taker_fee) != ("0.001", "0.001")
        return fees or any(value is not None for value in (self.tick, self.lot, self.min_notional))

    def config(self) -> GridConfig:
        """Return the grid as asked for. Raises `InputRefused` for text that is no number, and for what is missing."""
        return GridConfig(
            symbol=self.symbol, lower=self._needed("lower"), upper=self._needed("upper"), num_grids=self._count(),
            investment=self._read("investment"), spacing=self.spacing, sizing=self.sizing,
            quantity=self._read("quantity"), start=self.start, holdings=self._needed("holdings"),
            slippage=self._needed("slippage"), reserve=self._needed("reserve"), trigger_price=self._read("trigger"),
            stop_loss_price=self._read("stop_loss"), take_profit_price=self._read("take_profit"),
            compound=self.compound,
        )  # fmt: skip

    def market(self) -> Market:
        """Return the built-in rules of the symbol with what the flags set instead.

        Raises:
            InputRefused: an unknown symbol without all its units, or a unit or fee that cannot be.
        """
        from cryptotrader.venue.paper.markets import paper_market

        return paper_market(
            self.symbol, tick_size=self._read("tick"), lot_step=self._read("lot"),
            min_notional=self._read("min_notional"), maker_fee=self._read("maker_fee"),
            taker_fee=self._read("taker_fee"), fee_in=self.fee_in,
        )  # fmt: skip

    def start_price(self) -> Decimal | None:
        """Return --price, or None when it was left out."""
        return self._read("price")

    def _count(self) -> int:
        number = self._needed("grids")
        if number != number.to_integral_value():
            raise InputRefused(f"grids is {self.grids}, which is not a whole number.", field="grids", value=self.grids)
        return int(number)

    def _needed(self, name: str) -> Decimal:
        number = self._read(name)
        if number is None:
            raise _missing(name)
        return number

    def _read(self, name: str) -> Decimal | None:
        text = getattr(self, name)
        return None if text is None else read_number(text, field=name.replace("_", "-"))


def read_number(text: str, *, field: str) -> Decimal:
    """Read a decimal number of a size that money and prices have.

    Raises:
        InputRefused: not a number, not finite, or with more digits than exact sums have room for.
    """
    number = decimal_from(text, field=field)
    exponent = number.as_tuple().exponent
    if abs(number) >= HUGE or not isinstance(exponent, int) or Decimal(1).scaleb(exponent) < TINY:
        raise InputRefused(
            f"{field} is {text}, which has more digits than any price or amount.", field=field, value=text,
            hint="Use up to 18 digits on each side of the point.",
        )  # fmt: skip
    return number


def _missing(name: str) -> InputRefused:
    return InputRefused(f"{name} is missing.", field=name, hint=f"Give --{name}.")


def takes_grid_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command every grid flag; it gets them as one value, its first argument."""
    kinds = get_type_hints(GridFlags, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    flags = [inspect.Parameter(f.name, keyword, default=f.default, annotation=kinds[f.name]) for f in fields(GridFlags)]
    _, *own = inspect.signature(command, eval_str=True).parameters.values()

    def with_flags(**given: Any) -> None:
        grid = GridFlags(**{name: given.pop(name) for name in kinds})
        command(grid, **given)

    parameters = [*flags, *(parameter.replace(kind=keyword) for parameter in own)]
    with_flags.__name__, with_flags.__doc__ = command.__name__, command.__doc__
    with_flags.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_flags.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_flags
