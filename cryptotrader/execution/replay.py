"""Run the live code path over a candle file to its end, as fast as it goes, in books that are thrown away."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from cryptotrader.core.grid.config import GridConfig
from cryptotrader.core.grid.plan import plan_grid
from cryptotrader.core.market import Market
from cryptotrader.core.profit import Profit
from cryptotrader.errors import BooksDisagree, InputRefused
from cryptotrader.execution.commands import add_bot
from cryptotrader.execution.desk import THIRD_DEPOSIT, Desk
from cryptotrader.execution.tend import trade_until_now
from cryptotrader.runtime import virtual_runtime
from cryptotrader.settings import Settings
from cryptotrader.store.books import ledger_sums, owned_assets
from cryptotrader.store.bots import find_bot
from cryptotrader.store.database import Database, Session
from cryptotrader.store.migrate import upgrade
from cryptotrader.store.read import bot_profit, bot_status, fees_paid, list_orders, recent_fills
from cryptotrader.venue.candle_file import CandleFile
from cryptotrader.venue.feed import CandleBlock
from cryptotrader.venue.file_feed import FileFeed
from cryptotrader.venue.paper.pace import Pace, SteppedPace, UnboundedPace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.venue import PaperVenue

BOT = "replay"


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay ended with. `ledger` and `venue` are two independent books of the same account."""

    candles: int
    passes: int
    fills: int
    cycles: int
    profit: Profit
    fees: dict[str, Decimal]
    open_orders: int
    ledger: dict[str, Decimal]
    venue: dict[str, Decimal]
    ledger_hash: str
    note: str


class _ToldFeed(FileFeed):
    """A candle file that tells how far it has been walked."""

    def __init__(self, candles: CandleFile, on_progress: Callable[[int], None]) -> None:
        super().__init__(candles)
        self._tell = on_progress

    def block(self, index: int) -> CandleBlock | None:
        """Return candles from a position on, and tell it."""
        self._tell(index)
        return super().block(index)


def _nobody(_candle: int) -> None:
    """Tell nobody about progress."""


def replay_to_end(
    candles: CandleFile,
    config: GridConfig,
    market: Market,
    *,
    passes_every: int | None = None,
    touch: bool = False,
    on_progress: Callable[[int], None] = _nobody,
) -> ReplayResult:
    """Trade a grid over a whole file.

    Args:
        candles: the market; its symbol and tick are the market's.
        config: the grid.
        passes_every: also run a pass every so many candles; it must not change the result.
        touch: let a touch fill an order, not only a trade through it.
        on_progress: told the position of the candle that is walked, many times.

    Raises:
        InputRefused: the grid cannot trade at the file's first price, or `passes_every` is not positive.
        BooksDisagree: ledger and venue differ at the end.
    """
    if passes_every is not None and passes_every < 1:
        raise InputRefused(f"--passes-every is {passes_every}.", field="passes-every", value=passes_every,
                           hint="Use 1 or more.")  # fmt: skip
    plan = plan_grid(config, market, market.price(int(candles.block.open[0])))
    deposit = {market.quote: plan.investment, market.base: config.holdings, market.third_asset: THIRD_DEPOSIT}
    rules = PaperRules(deposit=deposit, slippage=config.slippage, through_ticks=0 if touch else 1)
    pace: Pace = UnboundedPace() if passes_every is None else SteppedPace(0)
    with _throw_away_desk(_ToldFeed(candles, on_progress), market, rules, pace) as desk:
        add_bot(desk, name=BOT, account="paper", config=config, market=market)
        passes = trade_until_now(desk, BOT).passes
        if isinstance(pace, SteppedPace):
            span = candles.block.opened_at_ms[-1] - candles.block.opened_at_ms[0] + candles.timeframe_ms
            for reached in range(
                passes_every or 1, int(span // candles.timeframe_ms) + (passes_every or 1), passes_every or 1
            ):
                pace.candles = reached
                passes += trade_until_now(desk, BOT).passes
        return _result(desk, len(candles.block), passes)


@contextmanager
def _throw_away_desk(feed: FileFeed, market: Market, rules: PaperRules, pace: Pace) -> Iterator[Desk]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cryptotrader-")))
        url, runtime = f"sqlite:///{folder}/trading.db", virtual_runtime()
        upgrade(url)
        db = Database(url, durable=False)
        stack.callback(db.close)
        venue = PaperVenue(
            folder / "paper.db", feeds={market.symbol: feed}, markets={market.symbol: market},
            rules=rules, runtime=runtime, pace=pace, synchronous="OFF",
        )  # fmt: skip
        stack.callback(venue.close)
        settings = Settings(cryptotrader_home=folder, database_url=url)
        yield Desk(settings, db, runtime, lambda _account: venue, actor="replay")


def _result(desk: Desk, candles: int, passes: int) -> ReplayResult:
    venue = desk.venue("paper")
    held = {asset: balance.total for asset, balance in venue.fetch_balances().items() if balance.total}
    with desk.db.reading() as session:
        bot = find_bot(session, BOT)
        owned = {asset: amount for asset, amount in owned_assets(session, "paper", [BOT]).items() if amount}
        if owned != held:
            raise BooksDisagree(f"the ledger holds {owned}, the venue {held}")
        status = bot_status(session, BOT)
        ticker = venue.fetch_ticker(bot.symbol)
        return ReplayResult(
            candles=candles, passes=passes, fills=status.fills, cycles=status.cycles,
            profit=bot_profit(session, bot, ticker.last), fees=fees_paid(session, bot),
            open_orders=len(list_orders(session, BOT, open_only=True)), ledger=owned, venue=held,
            ledger_hash=ledger_hash(session, BOT), note=status.note,
        )  # fmt: skip


def ledger_hash(session: Session, bot: str) -> str:
    """Return a SHA-256 of everything that was traded and booked: same candles and settings, same hash.

    Client order ids, serials and wall times are left out: they may differ between runs that trade the same.
    """
    digest = hashlib.sha256()
    for f in recent_fills(session, bot, limit=10**9):
        parts = (f.trade_id, f.at, f.side, f.cell, f.purpose, f.price, f.quantity, f.fee_asset, f.fee, f.realised)
        digest.update("|".join(map(_text, parts)).encode() + b"\n")
    for (account, asset), amount in sorted(ledger_sums(session).items()):
        digest.update(f"{account}|{asset}|{_text(amount)}\n".encode())
    return digest.hexdigest()


def _text(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
