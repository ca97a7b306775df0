"""A venue that fails by plan, around one that works. The plan is data; the venue obeys it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from cryptotrader.core.orders import Balance, OrderRequest, Ticker, VenueOrder, VenueTrade
from cryptotrader.errors import OrderRefused, OutcomeUnknown, VenueUnavailable
from cryptotrader.runtime import EPOCH, VirtualClock
from cryptotrader.venue.port import Venue

BROKEN = "the connection broke"


class Fault(StrEnum):
    """What can go wrong between us and an exchange, as far as a port shows it."""

    LOST = "lost"  # an order never arrives
    ANSWER_LOST = "answer lost"  # it was accepted, and nobody says so
    LATE = "late"  # it arrives after the client gave up
    REFUSED = "refused"  # it is refused, definitely
    CANCEL_LOST = "cancel lost"
    CANCEL_ANSWER_LOST = "cancel answer lost"
    NOT_FOUND = "not found"  # an order that exists is denied by its id for a while
    STALE = "stale"  # open orders are those of an earlier look, for a while
    DELAYED = "delayed"  # a trade is shown a while after it happened, perhaps after later ones
    SILENT = "silent"  # a reading fails


SENDING = (Fault.LOST, Fault.ANSWER_LOST, Fault.LATE, Fault.REFUSED)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which faults strike, when, and for how long.

    Attributes:
        at: the numbers, from 1, at which a fault strikes: of the placement (for `NOT_FOUND` too), the cancel, the
            look at the open orders, the trade id, or the reading.
        rates: how likely a fault strikes at any number.
        lasts_s: how long a fault lasts that lasts: exactly so where it strikes by number, else at most.
        timeout_s: how long the client waits for an answer that does not come.
        seed: of every draw.
    """

    at: Mapping[Fault, frozenset[int]] = field(default_factory=dict)
    rates: Mapping[Fault, float] = field(default_factory=dict)
    lasts_s: Mapping[Fault, float] = field(default_factory=dict)
    timeout_s: float = 0
    seed: int = 0

    def strikes(self, fault: Fault, number: int) -> bool:
        """Whether a fault strikes at this number."""
        if number in self.at.get(fault, ()):
            return True
        rate = self.rates.get(fault, 0)
        return rate > 0 and Random(f"{self.seed} {fault} {number}").random() < rate

    def lasts(self, fault: Fault, number: int) -> timedelta:
        """Return how long it then lasts."""
        longest = self.lasts_s.get(fault, 0)
        exactly = number in self.at.get(fault, ())
        return timedelta(seconds=longest * (1 if exactly else Random(f"{self.seed} {fault} {number} lasts").random()))


CALM = FaultPlan()


def planned(*faults: tuple[Fault, int], lasts_s: float = 0, timeout_s: float = 0) -> FaultPlan:
    """Return a plan in which each fault strikes at its number only, and lasts so long where it lasts."""
    at = {kind: frozenset(n for k, n in faults if k is kind) for kind, _ in faults}
    return FaultPlan(at, lasts_s=dict.fromkeys(at, lasts_s), timeout_s=timeout_s)


class FaultyVenue:
    """The way to an exchange: requests under way in it outlive the process that sent them.

    Attributes:
        inner: the exchange itself.
        sent: the id of every order that was sent, in order.
        blind: ids that `fetch_order` denies until a test takes them out again.
        struck: how often each fault struck.
    """

    def __init__(self, clock: VirtualClock, plan: FaultPlan = CALM) -> None:
        self.plan, self.sent, self.blind, self.struck = plan, list[str](), set[str](), Counter[Fault]()
        self.inner: Venue
        self._clock, self._numbers = clock, Counter[str]()
        self._under_way: list[tuple[datetime, OrderRequest]] = []
        self._hidden: dict[str, datetime] = {}
        self._delayed: dict[int, datetime] = {}
        self._stale_until, self._shown = EPOCH, tuple[VenueOrder, ...]()

    def around(self, inner: Venue) -> FaultyVenue:
        """Stand before this venue from now on: a new process has opened it."""
        self.inner = inner
        return self

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    @property
    def reads(self) -> int:
        """How often the venue was read so far."""
        return self._numbers["read"]

    def calm(self) -> None:
        """Nothing fails from now on, and nothing stays hidden; what is under way still arrives."""
        self.plan, self._stale_until = CALM, EPOCH
        self.blind.clear()
        self._hidden.clear()
        self._delayed.clear()

    # ---- sending -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> VenueOrder:
        self._deliver()
        self.sent.append(request.client_order_id)
        number = len(self.sent)
        fault = next((kind for kind in SENDING if self._strikes(kind, number)), None)
        if fault is Fault.REFUSED:
            raise OrderRefused("-2010", "Account has insufficient balance for requested action.")
        if fault is Fault.LATE:
            self._under_way.append((self._clock.now() + self.plan.lasts(fault, number), request))
        elif fault is Fault.ANSWER_LOST:
            with suppress(OrderRefused):
                self._accept(request, number)
        if fault is not None:
            self._clock.sleep(self.plan.timeout_s)
            raise OutcomeUnknown(BROKEN)
        return self._accept(request, number)

    def _accept(self, request: OrderRequest, number: int) -> VenueOrder:
        order = self.inner.place_order(request)
        if self._strikes(Fault.NOT_FOUND, number):
            self._hidden[request.client_order_id] = self._clock.now() + self.plan.lasts(Fault.NOT_FOUND, number)
        return order

    def _deliver(self) -> None:
        """Let what is due arrive; the exchange itself refuses what is too late."""
        due = [request for at, request in self._under_way if at <= self._clock.now()]
        self._under_way = [(at, request) for at, request in self._under_way if at > self._clock.now()]
        for request in due:
            with suppress(OrderRefused):
                self.inner.place_order(request)

    def cancel_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        self._deliver()
        number = self._count("cancel")
        if self._strikes(Fault.CANCEL_LOST, number):
            self._clock.sleep(self.plan.timeout_s)
            raise OutcomeUnknown(BROKEN)
        order = self.inner.cancel_order(symbol, client_order_id)
        if self._strikes(Fault.CANCEL_ANSWER_LOST, number):
            self._clock.sleep(self.plan.timeout_s)
            raise OutcomeUnknown(BROKEN)
        return order

    # ---- reading -----------------------------------------------------------------------------------------------

    def fetch_time(self) -> datetime:
        self._read()
        return self.inner.fetch_time()

    def fetch_ticker(self, symbol: str) -> Ticker:
        self._read()
        return self.inner.fetch_ticker(symbol)

    def fetch_balances(self) -> Mapping[str, Balance]:
        self._read()
        return self.inner.fetch_balances()

    def fetch_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        self._read()
        if client_order_id in self.blind or self._hidden.get(client_order_id, EPOCH) > self._clock.now():
            return None
        return self.inner.fetch_order(symbol, client_order_id)

    def fetch_open_orders(self, symbol: str | None) -> tuple[VenueOrder, ...]:
        self._read()
        number, now = self._count("open orders"), self._clock.now()
        strikes = self._strikes(Fault.STALE, number)
        if strikes:
            self._stale_until = max(self._stale_until, now + self.plan.lasts(Fault.STALE, number))
        if not strikes and now >= self._stale_until:
            self._shown = self.inner.fetch_open_orders(None)
        return tuple(order for order in self._shown if symbol in (None, order.symbol))

    def fetch_trades(self, symbol: str, from_id: int, limit: int = 1000) -> Sequence[VenueTrade]:
        self._read()
        trades = self.inner.fetch_trades(symbol, from_id, limit)
        return tuple(trade for trade in trades if not self._is_delayed(trade))

    def _is_delayed(self, trade: VenueTrade) -> bool:
        number, now = trade.trade_id, self._clock.now()
        if number not in self._delayed:
            strikes = self._strikes(Fault.DELAYED, number)
            self._delayed[number] = now + self.plan.lasts(Fault.DELAYED, number) if strikes else now
        return self._delayed[number] > now

    def _read(self) -> None:
        self._deliver()
        if self._strikes(Fault.SILENT, self._count("read")):
            raise VenueUnavailable(BROKEN)

    def _count(self, what: str) -> int:
        self._numbers[what] += 1
        return self._numbers[what]

    def _strikes(self, fault: Fault, number: int) -> bool:
        strikes = self.plan.strikes(fault, number)
        self.struck[fault] += strikes
        return strikes
