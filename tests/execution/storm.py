"""One seed: a storm of faults, crashes and other people over a small world, then calm, then the judge.

`python -m tests.execution.storm 17 postgresql` repeats seed 17; `0-199` runs a range and prints the figures.
"""

from __future__ import annotations

import atexit
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

from cryptotrader.core.market import FeeIn, Side
from cryptotrader.core.orders import OrderRequest, OrderType
from cryptotrader.core.reconcile import Control
from cryptotrader.errors import InputRefused, LeaseHeld, LeaseLost, OrderRefused, VenueUnavailable
from cryptotrader.store.database import Database
from cryptotrader.venue.paper.pace import SteppedPace
from tests.databases import SQLITE
from tests.execution.faults import Fault, FaultPlan, FaultyVenue
from tests.execution.oracle import judge
from tests.execution.world import (
    SYMBOL,
    Crashed,
    World,
    alerts,
    halt,
    is_settled,
    states,
    tend_once,
)
from tests.feeds import Ohlc

ENGINES: dict[str, Database] = {}
CANDLES = 14
HAND = Decimal("0.05")  # what a person buys or sells at once


class Unfinished(AssertionError):
    """The calm did not bring everything to rest."""


def drawn_plan(seed: int) -> FaultPlan:
    """Return a plan with about half of all faults, each as likely as the seed says."""
    draw = Random(f"plan {seed}")
    rates = {fault: draw.uniform(0.02, 0.25) for fault in Fault if draw.random() < 0.5}
    for fault, factor in ((Fault.SILENT, 1 / 8), (Fault.CANCEL_LOST, 3), (Fault.CANCEL_ANSWER_LOST, 3)):
        if fault in rates:
            rates[fault] *= factor  # a pass reads many times, and seldom cancels
    lasts = {
        Fault.LATE: 7, Fault.NOT_FOUND: draw.choice((10, 60, 1500)), Fault.STALE: draw.choice((0, 5, 20)),
        Fault.DELAYED: draw.choice((0, 5, 20)),
    }  # fmt: skip
    return FaultPlan(rates=rates, lasts_s=lasts, timeout_s=draw.choice((0, 0, 15)), seed=seed)


def drawn_course(draw: Random) -> tuple[Ohlc, ...]:
    """Return candles that wander through the grid, and now and then leave it."""
    price, candles = 1050, []
    for _ in range(CANDLES):
        first = price
        price = min(max(price + draw.randint(-70, 70), 870), 1230)
        high, low = max(first, price) + draw.randint(0, 30), min(first, price) - draw.randint(0, 30)
        candles.append((first, high, low, price))
    return tuple(candles)


@dataclass
class Stormy(World):
    """A world in which the market moves, and processes end, at any checkpoint."""

    draw: Random = field(default_factory=Random)
    is_calm: bool = False

    def checkpoint(self, name: str) -> None:
        if not self.is_calm and name.endswith(":after") and self.draw.random() < 0.02:
            self._open_paper().advance(SYMBOL)
        super().checkpoint(name)

    def _open_paper(self) -> object:
        return next(thing for thing in reversed(self._open) if hasattr(thing, "advance"))


@dataclass
class Storm:
    """A run of one seed, and the figures it leaves.

    Attributes:
        did: how often what happened.
    """

    seed: int
    folder: Path
    database: str = SQLITE
    did: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.draw = Random(f"storm {self.seed}")
        self.pace = SteppedPace(1)
        self.world = Stormy(
            self.folder, self.database, course=drawn_course(self.draw), fee_in=self.draw.choice(tuple(FeeIn)),
            partial_seed=self.draw.choice((None, self.seed)), pace=self.pace, draw=Random(f"world {self.seed}"),
            engines=ENGINES,
        )  # fmt: skip
        self.venue = FaultyVenue(self.world.clock, drawn_plan(self.seed))
        self.world.wrap = self.venue.around
        self.crash_rate, self.hand_base = self.draw.choice((0, 0.1, 0.4)), Decimal(0)
        self.cancelled: set[str] = set()

    def run(self) -> None:
        """Storm, calm, judgement.

        Raises:
            AssertionError: an invariant does not hold at the end.
        """
        plan, self.venue.plan = self.venue.plan, FaultPlan()
        self.desk = self.world.start_process("process 0")
        self.world.add(self.desk)
        self.venue.plan = plan
        while self.pace.candles < CANDLES:
            self._step()
        self._calm()
        self.world.end_processes()
        self.did["sent"] = len(self.venue.sent)
        self.did += Counter({f"fault: {fault}": count for fault, count in self.venue.struck.items()})

    # ---- the storm ---------------------------------------------------------------------------------------------

    def _step(self) -> None:
        if self.draw.random() < self.crash_rate:
            self.world.crash_at = len(self.world.passed) + self.draw.randrange(14)
        self._tend()
        self.world.crash_at = None
        act = self.draw.choice((self._wait, self._wait, self._move, self._move, self._move, self._meddle))
        act()

    def _tend(self) -> None:
        self.did["passes"] += 1
        try:
            tend_once(self.desk)
        except Crashed:
            self.did["crashes"] += 1
            self._restart()
        except LeaseHeld:
            self.world.clock.sleep(31)
        except (VenueUnavailable, LeaseLost) as error:
            self.did[f"raised: {type(error).__name__}"] += 1

    def _restart(self) -> None:
        self.world.end_processes()
        self.desk = self.world.start_process(f"process {self.did['passes']}")

    def _wait(self) -> None:
        self.world.clock.sleep(self.draw.choice((1, 3, 6, 6, 12, 40, 400)))

    def _move(self) -> None:
        self.pace.candles += self.draw.choice((0, 1))
        self.venue.inner.advance(SYMBOL)

    def _meddle(self) -> None:
        """Let a person do something at the exchange or with the bot."""
        act = self.draw.choice((self._cancel_by_hand, self._trade_by_hand, self._rest_by_hand, self._pay, self._rule))
        self.did[f"person: {act.__name__.strip('_')}"] += 1
        act()

    def _cancel_by_hand(self) -> None:
        orders = self.venue.inner.fetch_open_orders(SYMBOL)
        if orders:
            order_id = self.draw.choice(orders).client_order_id
            self.venue.inner.cancel_order(SYMBOL, order_id)
            self.cancelled.add(order_id)

    def _trade_by_hand(self) -> None:
        sells = self.hand_base >= HAND and self.draw.random() < 0.5
        self._by_hand(Side.SELL if sells else Side.BUY, OrderType.MARKET, 1000)
        self.hand_base += -HAND if sells else HAND * Decimal("0.9")

    def _rest_by_hand(self) -> None:
        self._by_hand(Side.BUY, OrderType.LIMIT, self.draw.randint(850, 1000))

    def _by_hand(self, side: Side, kind: OrderType, price: int) -> None:
        name = f"hand{sum(self.did.values())}"
        request = OrderRequest(name, SYMBOL, side, kind, Decimal(price), HAND, self.world.clock.now())
        try:
            self.venue.inner.place_order(request)
        except OrderRefused:
            self.did["person: refused"] += 1

    def _pay(self) -> None:
        try:
            self.venue.inner.deposit("USDT", Decimal(self.draw.choice((-20, -3, 7, 50))))
        except InputRefused:
            self.did["person: refused"] += 1

    def _rule(self) -> None:
        halt(self.desk, self.draw.choice((Control.HALTED, Control.REDUCING, Control.ACTIVE, Control.ACTIVE)))

    # ---- the calm ----------------------------------------------------------------------------------------------

    def _calm(self) -> None:
        """Let everything come to rest, trade the course to its end, and see that rest is rest."""
        self.venue.calm()
        self.world.is_calm = True
        self._restart()
        halt(self.desk, Control.ACTIVE)
        self._settle()
        self.pace.candles = CANDLES + 1
        while self.venue.inner.advance(SYMBOL):
            self._settle()
        self._settle()
        judge(self.desk, self.folder, self.world.deposit, frozenset(self.cancelled))
        before = states(self.desk)
        assert tend_once(self.desk).tally.total == 0  # I31: again is nothing more
        self._restart()
        assert tend_once(self.desk).tally.total == 0  # I30: a restart wants the same
        assert states(self.desk) == before
        self.did["quarantined"] += sum(state == "quarantined" for _, state in before)
        self.did["parked"] += sum(kind == "order.parked" for _, kind in alerts(self.desk))

    def _settle(self) -> None:
        for _ in range(60):
            try:
                quiet = tend_once(self.desk).tally.total == 0
            except LeaseHeld:
                quiet = False
            if quiet and is_settled(self.desk):
                return
            self.world.clock.sleep(11)
        self.world.clock.sleep(31 * 60)
        tend_once(self.desk)
        if not is_settled(self.desk):
            raise Unfinished(f"not at rest: {[pair for pair in states(self.desk) if pair[1] not in TERMINAL_WORDS]}")


TERMINAL_WORDS = ("filled", "canceled", "expired", "rejected", "void", "open")


def run_seed(seed: int, database: str = SQLITE) -> Counter[str]:
    """Run one seed in a folder of its own.

    Raises:
        AssertionError: it ended wrong; the first line says how to repeat it.
    """
    folder = _workplace()
    for old in folder.iterdir():
        old.unlink()
    storm = Storm(seed, folder, database)
    try:
        storm.run()
    except Exception as error:
        repeat = f"python -m tests.execution.storm {seed} {database}"
        raise AssertionError(f"{repeat}: {type(error).__name__}: {error}") from error
    finally:
        storm.world.end_processes()
    return storm.did


@cache
def _workplace() -> Path:
    """Return a folder of this process, always the same, so that engines can be used again."""
    folder = tempfile.TemporaryDirectory(prefix="storm-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def main(which: str, database: str = SQLITE) -> None:
    """Run a seed or a range of them, and print the figures."""
    first, _, last = which.partition("-")
    total, wrong, began = Counter[str](), 0, time.perf_counter()
    for seed in range(int(first), int(last or first) + 1):
        try:
            total += run_seed(seed, database)
        except AssertionError as error:
            wrong += 1
            print(str(error).splitlines()[0])  # noqa: T201
            if not last:
                raise
    print(f"{wrong} wrong, {time.perf_counter() - began:.1f} s, {dict(sorted(total.items()))}")  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
