"""A whole small world for tests of execution: paper exchange, database, virtual clock, and points to crash at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from cryptotrader.core.grid.config import GridConfig
from cryptotrader.core.market import FeeIn, Market
from cryptotrader.core.reconcile import Control
from cryptotrader.errors import LeaseHeld
from cryptotrader.execution.commands import add_bot, control_bot
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.replay import ledger_hash
from cryptotrader.execution.trading_pass import PassResult, look, run_pass
from cryptotrader.runtime import Runtime, VirtualClock, virtual_runtime
from cryptotrader.settings import Settings
from cryptotrader.store.books import ledger_sums, owned_assets
from cryptotrader.store.bots import find_bot, load_state
from cryptotrader.store.database import Database, Session
from cryptotrader.store.intents import cooling_slots, live_intents, unproven_intents
from cryptotrader.store.read import bot_profit
from cryptotrader.store.schema import TERMINAL, FillRow, IntentRow, IntentState, LedgerBalanceRow, OutboxRow
from cryptotrader.venue.paper.pace import Pace, UnboundedPace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.venue import PaperVenue
from cryptotrader.venue.port import Venue
from tests.databases import SQLITE, fresh_database
from tests.feeds import ListFeed, Ohlc

SYMBOL = "BTC/USDT"
BOT = "btc"

# Start at 1050; down through two levels and back within a candle; up through three; a gap down; a calm end.
COURSE: tuple[Ohlc, ...] = (
    (1050, 1055, 1045, 1050),
    (1050, 1052, 985, 990),
    (990, 1035, 988, 1030),
    (1030, 1125, 1028, 1120),
    (1060, 1070, 955, 960),
    (960, 1045, 958, 1041),
    (1041, 1044, 1040, 1042),
)


class Crashed(BaseException):
    """The process ends here, as by SIGKILL: nothing after this point ran."""


def market(fee_in: FeeIn = FeeIn.BASE) -> Market:
    return Market(SYMBOL, Decimal(1), Decimal("0.001"), Decimal("0.5"), fee_in=fee_in)


def grid(**changes: object) -> GridConfig:
    """Six cells of 50 from 900 to 1200."""
    values: dict[str, object] = {
        "symbol": SYMBOL, "lower": Decimal(900), "upper": Decimal(1200), "num_grids": 6, "investment": Decimal(1000),
    }  # fmt: skip
    return GridConfig(**(values | changes))


@dataclass
class World:
    """Files in a folder, and processes over them that come and go."""

    folder: Path
    database: str = SQLITE
    course: Sequence[Ohlc] = COURSE
    others: tuple[str, ...] = ()
    fee_in: FeeIn = FeeIn.BASE
    deposit: dict[str, Decimal] = field(default_factory=lambda: {"USDT": Decimal(2000), "BNB": Decimal(1)})
    partial_seed: int | None = None
    pace: Pace = field(default_factory=UnboundedPace)
    engines: dict[str, Database] | None = None  # where given, one process after the other opens the same one: faster
    clock: VirtualClock = field(default_factory=VirtualClock)
    wrap: Callable[[Venue], Venue] = lambda venue: venue
    passed: list[str] = field(default_factory=list)
    crash_at: int | None = None
    _open: list[PaperVenue | Database] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.url = fresh_database(self.database, self.folder)

    def checkpoint(self, name: str) -> None:
        self.passed.append(name)
        if self.crash_at is not None and len(self.passed) > self.crash_at:
            raise Crashed(name)

    def start_process(self, holder: str = "first") -> Desk:
        """Open everything anew, as a fresh process does."""
        runtime = Runtime(self.clock, virtual_runtime(len(holder)).random, holder)
        db = (self.engines or {}).get(self.url) or Database(self.url, durable=False)
        db.checkpoint = self.checkpoint
        if self.engines is not None:
            self.engines[self.url] = db
        feed = ListFeed(self.course)
        paper = PaperVenue(
            self.folder / "paper.db", feeds={SYMBOL: feed} | {s: ListFeed(self.course, symbol=s) for s in self.others},
            markets={s: replace(market(self.fee_in), symbol=s) for s in (SYMBOL, *self.others)},
            rules=PaperRules(deposit=self.deposit, partial_seed=self.partial_seed), runtime=runtime, pace=self.pace,
            synchronous="OFF",
        )  # fmt: skip
        self._open += [paper, db]
        venue = self.wrap(paper)
        settings = Settings(cryptotrader_home=self.folder, database_url=self.url)
        return Desk(settings, db, runtime, lambda _account: venue, actor="tester")

    def end_processes(self) -> None:
        """Close what was opened; what was not committed is gone."""
        for thing in self._open:
            thing.close()
        self._open.clear()

    def add(self, desk: Desk, **changes: object) -> None:
        add_bot(desk, name=BOT, account="paper", config=grid(**changes), market=market(self.fee_in))


def tend_once(desk: Desk) -> PassResult:
    """Run one pass of the only bot."""
    return run_pass(desk.db, desk.venue("paper"), desk.runtime, BOT)


def trade_to_end(desk: Desk) -> int:
    """Run passes fill by fill to the end of the course; wait for leases and for unknown orders. Returns the passes."""
    passes = 0
    while True:
        try:
            result = tend_once(desk)
        except LeaseHeld:
            desk.runtime.wall.sleep(31)
            continue
        passes += 1
        if is_unproven(desk):
            desk.runtime.wall.sleep(6)  # the market waits while an outcome is unknown, so that results compare
        elif not desk.venue("paper").advance(SYMBOL, result.watches) and result.tally.total == 0:
            return passes


def look_again(desk: Desk) -> tuple[str, ...]:
    """Return what a pass would do now."""
    return look(desk.db, desk.venue("paper"), desk.runtime, BOT)


def is_unproven(desk: Desk) -> bool:
    with desk.db.reading() as session:
        return bool(unproven_intents(session, find_bot(session, BOT).id))


def is_settled(desk: Desk) -> bool:
    """Whether every order is proven, or put aside for a person, and none waits to be tried again."""
    with desk.db.reading() as session:
        bot = find_bot(session, BOT)
        settled = {IntentState.OPEN, IntentState.QUARANTINED}
        return {i.state for i in live_intents(session, bot.id)} <= settled and not cooling_slots(
            session, bot.id, desk.runtime.wall.now()
        )


def hash_of(desk: Desk) -> str:
    with desk.db.reading() as session:
        return ledger_hash(session, BOT)


def states(desk: Desk) -> list[tuple[str, str]]:
    """Return (client order id, state) of every intent, oldest first."""
    with desk.db.reading() as session:
        return [(i.client_order_id, i.state) for i in session.scalars(select(IntentRow).order_by(IntentRow.created_at))]


def alerts(desk: Desk) -> list[tuple[str, str]]:
    """Return (severity, kind) of every alert, oldest first."""
    with desk.db.reading() as session:
        return [(a.severity, a.kind) for a in session.scalars(select(OutboxRow).order_by(OutboxRow.id))]


def halt(desk: Desk, control: Control = Control.HALTED) -> None:
    control_bot(desk, BOT, control, reason="test")


def later(desk: Desk, **span: float) -> None:
    desk.runtime.wall.sleep(timedelta(**span).total_seconds())


def check_invariants(desk: Desk) -> None:
    """Hold the books to the invariants that can be read off them at any quiet moment."""
    venue = desk.venue("paper")
    with desk.db.reading() as session:
        bot = find_bot(session, BOT)
        _check_intents(session)
        _check_fills(session)
        _check_ledger(session, venue)
        bot_profit(session, bot, venue.fetch_ticker(SYMBOL).last)  # raises when it does not add up
        state = load_state(session, bot)
        owned = session.get(LedgerBalanceRow, (f"bot:{BOT}", "BTC"))
        assert state.base == (owned.amount if owned else 0)
    assert look(desk.db, venue, desk.runtime, BOT) == ()


def _check_intents(session: Session) -> None:
    """I1 one live order a slot; I14 an order's fills sum to what it executed; never more than it asked for."""
    live: set[tuple[int, str]] = set()
    for intent in session.scalars(select(IntentRow)):
        if intent.state not in TERMINAL:
            assert (intent.cell, intent.purpose) not in live
            live.add((intent.cell, intent.purpose))
        fills = session.scalars(select(FillRow).where(FillRow.client_order_id == intent.client_order_id)).all()
        assert sum((f.quantity for f in fills), Decimal(0)) == intent.filled_base <= intent.quantity


def _check_fills(session: Session) -> None:
    """I12 every trade once, none missing: ids have no hole on a venue that numbers them from 1."""
    ids = sorted(session.scalars(select(FillRow.trade_id)))
    assert ids == list(range(1, len(ids) + 1))


def _check_ledger(session: Session, venue: Venue) -> None:
    """I13 and I15: transactions sum to 0, running balances are their sums, and equal the venue's balances."""
    sums = ledger_sums(session)
    for asset in {asset for _, asset in sums}:
        assert sum(amount for (_, a), amount in sums.items() if a == asset) == 0
    running = {(row.account, row.asset): row.amount for row in session.scalars(select(LedgerBalanceRow))}
    assert running == sums
    held = {asset: b.total for asset, b in venue.fetch_balances().items() if b.total}
    assert {a: m for a, m in owned_assets(session, "paper", [BOT]).items() if m} == held
