"""What it costs: `make bench` prints a table of budgets and readings, and writes bench.json.

Readings are medians of wall time on this machine while nothing else runs; nothing here asserts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from cryptotrader.core.grid.config import GridConfig
from cryptotrader.execution.commands import add_bot
from cryptotrader.execution.desk import Desk, open_desk
from cryptotrader.execution.replay import replay_to_end
from cryptotrader.execution.trading_pass import run_pass
from cryptotrader.settings import Settings
from cryptotrader.store.outbox import add_alert
from cryptotrader.venue.candle_file import read_candles
from cryptotrader.venue.paper.markets import paper_market
from tests.databases import POSTGRESQL, SQLITE, fresh_database

REAL = Path(__file__).parents[2] / "shared" / "data" / "binance-BTC_USDT-1m-2021.parquet"
WARM_UP, FILLS = 50, 200
GRID = "grid --symbol BTC/USDT --lower 30000 --upper 60000 --grids 20 --investment 10000 --price 45000 --json"


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of the table. `unit` is of both the budget and the median."""

    what: str
    budget: str
    median: float | None
    unit: str
    runs: int


def main() -> None:
    """Measure, print and write."""
    with tempfile.TemporaryDirectory() as folder:
        readings = [reading for kind in (SQLITE, POSTGRESQL) for reading in measure_database(kind, Path(folder) / kind)]
    readings += [measure_replay(), measure_grid_command()]
    Path("bench.json").write_text(json.dumps([asdict(reading) for reading in readings], indent=2) + "\n")
    table = Table("What", "Budget", "Median", "Runs")
    for r in readings:
        table.add_row(r.what, r.budget, "not measured" if r.median is None else f"{r.median:.2f} {r.unit}", str(r.runs))
    Console().print(table)


def measure_database(kind: str, folder: Path) -> list[Reading]:
    """Run a 20-cell paper bot with durable commits: passes that book a fill, passes with nothing to do, and commits."""
    folder.mkdir()
    settings = Settings(
        cryptotrader_home=folder, replay_speed=3600, trading_deposit=Decimal(10_000),
        database_url=fresh_database(kind, folder),
    )  # fmt: skip
    settings.data.mkdir(parents=True)
    fills: list[float] = []
    with open_desk(settings) as desk:
        price = desk.venue("paper").fetch_ticker("BTC/USDT").last
        lower, upper = (round(price * factor) for factor in (Decimal("0.95"), Decimal("1.05")))
        grid = GridConfig("BTC/USDT", Decimal(lower), Decimal(upper), 20, Decimal(10_000))
        add_bot(desk, name="bench", account="paper", config=grid)
        while len(fills) < WARM_UP + FILLS:
            began = time.perf_counter()
            result = run_pass(desk.db, desk.venue("paper"), desk.runtime, "bench")
            if result.tally.fills == 1 and result.tally.placed == 1:
                fills.append((time.perf_counter() - began) * 1000)
            desk.venue("paper").advance("BTC/USDT", result.watches)
        _pass(desk)
        idle = [timed(lambda: _pass(desk)) for _ in range(200)]
        commits = [timed(lambda: _commit(desk)) for _ in range(500)]
    return [
        Reading(f"{kind}: a pass with nothing to do", "<= 5 ms (SQLite)", median(idle), "ms", len(idle)),
        Reading(f"{kind}: a pass that books one fill", "<= 15 ms (SQLite)", median(fills[WARM_UP:]), "ms", FILLS),
        Reading(f"{kind}: durable commits of one row", "none stated", 1000 / median(commits), "a second", len(commits)),
    ]


def _pass(desk: Desk) -> None:
    run_pass(desk.db, desk.venue("paper"), desk.runtime, "bench")


def _commit(desk: Desk) -> None:
    with desk.db.transaction("bench") as session:
        add_alert(session, bot_id=None, severity="info", kind="bench", message="x", at=desk.runtime.wall.now(),
                  repeat=True)  # fmt: skip


def measure_replay() -> Reading:
    """Replay the real candles of May 2021 with 20 cells."""
    what, budget = "run --until-end, 42,915 real candles, 20 cells", ">= 2000 candles/s"
    if not REAL.exists():
        return Reading(what + " (no data here)", budget, None, "candles/s", 0)
    market = paper_market("BTC/USDT")
    candles = read_candles(REAL, symbol="BTC/USDT", tick_size=market.tick_size)
    grid = GridConfig("BTC/USDT", Decimal(30_000), Decimal(60_000), 20, Decimal(10_000))
    took = [timed(lambda: replay_to_end(candles, grid, market)) for _ in range(3)]
    return Reading(what, budget, len(candles.block) / (median(took) / 1000), "candles/s", len(took))


def measure_grid_command() -> Reading:
    """Start the command in a new process, as a program does."""
    command = [str(Path(sys.executable).with_name("cryptotrader")), *GRID.split()]
    took = [timed(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(5)]
    return Reading("cryptotrader grid --json, whole process", "<= 700 ms", median(took), "ms", len(took))


def timed(call: Callable[[], object]) -> float:
    """Return how many milliseconds a call took."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
