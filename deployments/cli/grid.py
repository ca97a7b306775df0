"""`cryptotrader grid`: levels, sizes and returns of a grid before anything is traded."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cryptotrader.core.grid.config import Sizing
from cryptotrader.core.grid.plan import GridPlan, max_grids, min_investment, plan_grid
from cryptotrader.core.resolution import Resolution
from cryptotrader.errors import InputRefused
from deployments.cli import gate
from deployments.cli.figures import money, money_or_none, ratio
from deployments.cli.grid_flags import GridFlags, takes_grid_flags
from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.core.market import Market
    from cryptotrader.venue.candle_file import CandleFile


@takes_grid_flags
def grid(
    flags: GridFlags,
    candles: Annotated[
        Path | None, typer.Option(help="Candle file: its first open is the price, its candles are judged.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show levels, sizes and returns of a grid. Nothing is traded, nothing is stored."""
    config, market = flags.config(), flags.market()
    file = None if candles is None else read_file(candles, market)
    plan = plan_grid(config, market, _price(flags, file, market))
    resolution = None if file is None else gate.judge(file, plan)
    found = (*plan.warnings(), *(file.warnings if file else ()), *(gate.sentences(resolution) if resolution else ()))
    if as_json:
        write_json(_document(plan, resolution, found))
        return
    from deployments.cli.ladder import draw

    draw(screen(), plan, resolution, found)


def read_file(path: Path, market: Market) -> CandleFile:
    """Read a candle file as a series of a market."""
    from cryptotrader.venue.candle_file import read_candles

    return read_candles(path.expanduser(), symbol=market.symbol, tick_size=market.tick_size)


def first_open(file: CandleFile, market: Market) -> Decimal:
    """Return the price at which a file begins."""
    return market.price(int(file.block.open[0]))


def _price(flags: GridFlags, file: CandleFile | None, market: Market) -> Decimal:
    price = flags.start_price()
    if price is None and file is None:
        raise InputRefused("price is missing.", field="price", hint="Give --price, or --candles with a file.")
    return first_open(file, market) if price is None and file is not None else price or Decimal(0)


def _document(plan: GridPlan, resolution: Resolution | None, warnings: tuple[str, ...]) -> dict[str, object]:
    config, market, price = plan.config, plan.market, plan.price
    each = [money(quantity) for quantity in plan.quantities]
    return {
        "levels": [money(level) for level in plan.levels],
        "gap": money_or_none(gap_level(plan)),
        "quantity": each if config.sizing is Sizing.QUOTE else each[0],
        "net_return_min": ratio(min(plan.net_returns)),
        "net_return_max": ratio(max(plan.net_returns)),
        "start_quantity": money(plan.start_quantity),
        "orders": [
            {"cell": o.cell, "side": o.side, "price": money(o.price), "quantity": money(o.quantity)}
            for o in plan.orders()
        ],
        "waiting": list(plan.waiting()),
        "min_investment": money_or_none(min_investment(config, market, price)),
        "max_grids": max_grids(config, market, price),
        "resolution_ratio": None if resolution is None else ratio(resolution.ratio),
        "warnings": list(warnings),
    }


def gap_level(plan: GridPlan) -> Decimal | None:
    """Return the level without an order, the first at or above the price; None when the price is above them all."""
    level = plan.levels[plan.gap]
    return level if level >= plan.price else None
