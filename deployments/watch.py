"""Tell a person at the terminal what happens: `python -m deployments.watch`, one of the processes of `up`.

Reads the database and asks the server whether it answers; needs nothing of Prefect's own. It is also the watchdog:
when `up` was killed with -9 it ends the rest of the stack, and itself.
"""

from __future__ import annotations

import fcntl
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from rich.console import Console

from cryptotrader.runtime import Runtime, stopwatch
from cryptotrader.settings import Settings, load_settings
from cryptotrader.store.bots import open_bots
from cryptotrader.store.database import Database
from cryptotrader.store.read import BotStatus, FillLine, bot_status, recent_fills
from deployments.environment import STACK_VARIABLE, TERMINAL_VARIABLE, server_url
from deployments.processes import end_processes

LOOK_SECONDS, STATUS_SECONDS = 1.0, 10.0
SHOWN_AT_START = 5
"""How many fills of earlier starts are shown, so that a person sees where the grid left off."""


def watch(settings: Settings, console: Console) -> None:
    """Print progress, fills and status until `up` is gone."""
    database = Database(settings.database)
    url, server_is_up = server_url(settings), False
    clock, last_fill, status_due = Runtime().wall, 0, 0.0
    shown: list[str] = []
    _print_lines(console, [f"Prefect server starting at {url} … (the first start takes about 20 s, later ones 5 s)"])
    while is_held(settings.home / "up.lock"):
        if not server_is_up and answers(url):
            server_is_up, status_due = True, 0.0
            _print_lines(console, welcome(settings, database))
        if server_is_up:
            last_fill = _print_fills(console, database, last_fill)
            if stopwatch() >= status_due and (lines := list(statuses(database))) != shown:
                _print_lines(console, lines)
                shown, status_due = lines, stopwatch() + STATUS_SECONDS
        clock.sleep(LOOK_SECONDS)


def is_held(lock: Path) -> bool:
    """Return whether a living `up` holds the lock of the home folder."""
    with lock.open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def answers(url: str) -> bool:
    """Return whether the server on loopback says that it is healthy."""
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=1) as response:  # noqa: S310 - our own http address
            return response.status == 200
    except urllib.error.HTTPError as error:
        return error.code == 401  # it asks for the password: it is up
    except OSError:
        return False


def welcome(settings: Settings, database: Database) -> Iterator[str]:
    """Yield what a person needs to know once: the market, the pages, the way out."""
    url = server_url(settings)
    for status in _statuses(database):
        yield f"[bold]{status.name}[/] trades {status.symbol} on {status.account}: [yellow]{status.market_label}[/]"
    yield f"Overview     {url}"
    yield f"Runs         {url}/runs"
    yield f"Deployments  {url}/deployments"
    yield "Ctrl-C stops everything; the next run continues the same grid."


def statuses(database: Database) -> Iterator[str]:
    """Yield one line a bot: price, equity, profit, orders, fills."""
    for status in _statuses(database):
        yield status_line(status)


def status_line(status: BotStatus) -> str:
    """Return a bot's state in one line."""
    if status.price is None or status.profit is None:
        return f"{status.name}  waiting for its first pass"
    profit = status.profit
    return (
        f"[bold]{status.name}[/]  price {_money(status.price)}  equity {_money(profit.equity)}"
        f"  profit {_signed(profit.total_pnl)} = grid {_signed(profit.grid_profit)}"
        f" + inventory {_signed(profit.inventory_pnl)}  open orders {status.open_orders}  fills {status.fills}"
    )


def fill_line(fill: FillLine) -> str:
    """Return a fill in one line; a sale also tells what it earned."""
    colour = "green" if fill.side == "buy" else "red"
    earned = f"  earned {_signed(fill.realised)}" if fill.side == "sell" else ""
    return (
        f"{fill.at:%Y-%m-%d %H:%M}  {fill.bot}  [{colour}]{fill.side:<4}[/] {fill.quantity:f} {fill.symbol}"
        f" at {fill.price:f}{earned}"
    )


def _statuses(database: Database) -> list[BotStatus]:
    with database.reading() as session:
        return [bot_status(session, bot.name) for bot in open_bots(session)]


def _print_fills(console: Console, database: Database, after: int) -> int:
    """Print the fills after an id; of those of earlier starts only the last few. Returns the newest id."""
    with database.reading() as session:
        fills = recent_fills(session, after_id=after, limit=1000 if after else SHOWN_AT_START)
    _print_lines(console, map(fill_line, fills))
    return max((fill.trade_id for fill in fills), default=after)


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _signed(amount: Decimal) -> str:
    return f"{amount:+,.2f}"


def main() -> None:
    """Watch; then, when `up` was killed without ending its processes, end them."""
    in_colour = os.environ.get(TERMINAL_VARIABLE) == "1"
    watch(load_settings(), Console(force_terminal=in_colour, no_color=not in_colour, width=None if in_colour else 200))
    end_processes(os.environ.get(STACK_VARIABLE, ""), spare=[os.getpid()])


if __name__ == "__main__":
    sys.exit(main())
