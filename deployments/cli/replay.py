"""`cryptotrader run --until-end`: the live code path over a whole file, as fast as it goes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cryptotrader.core.grid.plan import plan_grid
from cryptotrader.core.resolution import Resolution
from cryptotrader.errors import InputRefused
from cryptotrader.execution.replay import ReplayResult, replay_to_end
from cryptotrader.settings import MarketSource, Settings
from cryptotrader.store.database import explained
from cryptotrader.venue.candle_file import CandleFile
from deployments.cli import gate
from deployments.cli.figures import amounts, for_people, money, ratio, signed
from deployments.cli.grid import first_open, read_file
from deployments.cli.grid_flags import GridFlags
from deployments.cli.output import screen, write_json
from deployments.cli.run import RunFlags


def replay(grid: GridFlags, flags: RunFlags, settings: Settings, *, as_json: bool) -> None:
    """Trade a grid over a file and print the result."""
    if settings.trading_market is not MarketSource.REPLAY:
        raise InputRefused("--until-end needs --market replay.", field="market", value=settings.trading_market.value)
    if settings.candles is None:
        raise InputRefused(
            "candles is missing.", field="candles", hint="Give --candles FILE: the SYNTHETIC series has no end."
        )
    config, market = grid.config(), grid.market()
    candles = read_file(settings.candles, market)
    plan = plan_grid(config, market, first_open(candles, market))
    resolution = gate.judge(candles, plan)
    gate.pass_gate(resolution, candles, force=grid.force)
    with explained(f"sqlite:///{tempfile.gettempdir()}"), progress(candles) as on_progress:
        result = replay_to_end(
            candles, config, market, passes_every=flags.passes_every, touch=flags.touch, on_progress=on_progress
        )
    warnings = (*candles.warnings, *plan.warnings(), *gate.sentences(resolution), *_remarks(grid, result))
    if as_json:
        write_json(document(result, resolution, warnings))
    else:
        _draw(result, resolution, warnings, quote=market.quote)


def _remarks(grid: GridFlags, result: ReplayResult) -> Iterator[str]:
    """Yield what the result does not show by itself."""
    if grid.price is not None:
        yield f"--price {grid.price} was not used: a replay starts at the first open of the file."
    if result.note:
        yield f"At the end the bot {result.note}."


@contextmanager
def progress(candles: CandleFile) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr to a person at a terminal; say nothing to anybody else."""
    if not sys.stderr.isatty():
        yield lambda _candle: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(candles.label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(candles.block))
        yield lambda candle: bar.update(task, completed=candle)


def document(result: ReplayResult, resolution: Resolution, warnings: tuple[str, ...]) -> dict[str, object]:
    """Return a replay's result as programs read it."""
    profit = result.profit
    return {
        "candles": result.candles,
        "passes": result.passes,
        "fills": result.fills,
        "cycles": result.cycles,
        "grid_profit": money(profit.grid_profit),
        "inventory_pnl": money(profit.inventory_pnl),
        "total_pnl": money(profit.total_pnl),
        "hold_pnl": money(profit.hold_pnl),
        "fees": amounts(result.fees),
        "equity": money(profit.equity),
        "open_orders": result.open_orders,
        "ledger": amounts(result.ledger),
        "venue": amounts(result.venue),
        "ledger_hash": result.ledger_hash,
        "resolution_ratio": ratio(resolution.ratio),
        "warnings": list(warnings),
    }


def _draw(result: ReplayResult, resolution: Resolution, warnings: tuple[str, ...], *, quote: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    profit, table = result.profit, Table.grid(padding=(0, 2))
    fees = ", ".join(f"{amount} {asset}" for asset, amount in amounts(result.fees).items()) or "none"
    rows = {
        "candles": f"{result.candles:,}, in {result.passes:,} passes",
        "fills": f"{result.fills:,}, of them {result.cycles:,} round trips; {result.open_orders} orders rest",
        "profit": f"[bold]{signed(profit.total_pnl)} {quote}[/] = grid {signed(profit.grid_profit)} "
        f"+ inventory {signed(profit.inventory_pnl)}",
        "holding": f"{signed(profit.hold_pnl)} {quote} would have come of buying all at the start",
        "equity": f"{for_people(profit.equity)} {quote}",
        "fees": fees,
        "books": f"ledger and venue agree: {', '.join(f'{v} {k}' for k, v in amounts(result.venue).items())}",
        "R": f"{resolution.ratio:.2f} grid steps in the median candle",
        "hash": result.ledger_hash,
    }
    for name, text in rows.items():
        table.add_row(f"[dim]{name}[/]", text)
    console = screen()
    console.print(table)
    for warning in warnings:
        console.print(f"[yellow]Careful:[/] {escape(warning)}", soft_wrap=True)
