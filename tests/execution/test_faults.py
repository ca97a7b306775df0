"""Each fault of sending and reading by itself, and what must come of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cryptotrader.core.market import FeeIn, Side
from cryptotrader.core.orders import Balance
from cryptotrader.errors import VenueUnavailable
from cryptotrader.execution.cancel import cancel
from cryptotrader.execution.job import open_job
from cryptotrader.execution.trading_pass import look
from cryptotrader.store.schema import IntentState
from tests.execution.fault_scenes import CALM_COURSE, HALF_AN_HOUR, base_of, begun, finish, leave_out, rest, state_of
from tests.execution.faults import Fault, FaultPlan, FaultyVenue, planned
from tests.execution.oracle import accepted_orders
from tests.execution.scenes import faulty, resting
from tests.execution.world import BOT, SYMBOL, World, alerts, later, tend_once


@pytest.mark.parametrize("number", [1, 2, 6])
def test_lost_request_leaves_one_order(world: World, number: int) -> None:
    desk, venue = begun(world, planned((Fault.LOST, number)))
    lost = venue.sent[number - 1]
    assert state_of(desk, lost) in ("sent", "unknown")
    rest(desk)
    finish(world, desk, venue)
    assert venue.struck[Fault.LOST] == 1


@pytest.mark.parametrize("number", [1, 2, 6])
def test_accepted_order_is_adopted_when_its_answer_is_lost(world: World, number: int) -> None:
    desk, venue = begun(world, planned((Fault.ANSWER_LOST, number)))
    rest(desk, 1)
    assert state_of(desk, venue.sent[number - 1]) in ("open", "filled")
    finish(world, desk, venue)
    assert len(venue.sent) == len(set(venue.sent))


@pytest.mark.parametrize("after_s", [0.0, 3.0, 5.0])
@pytest.mark.parametrize("number", [1, 6])
def test_late_request_within_its_window_is_adopted_and_never_sent_again(
    world: World, number: int, after_s: float
) -> None:
    desk, venue = begun(world, planned((Fault.LATE, number), lasts_s=after_s))
    late = venue.sent[number - 1]
    later(desk, seconds=after_s)
    tend_once(desk)
    rest(desk)
    assert venue.sent.count(late) == 1
    assert state_of(desk, late) in ("open", "filled")
    finish(world, desk, venue)


def test_late_request_beyond_its_window_is_refused_by_the_venue_and_sent_again(world: World) -> None:
    desk, venue = begun(world, planned((Fault.LATE, 6), lasts_s=5.1))
    late = venue.sent[5]
    rest(desk)
    assert venue.sent.count(late) == 2
    assert [order.client_order_id for order in accepted_orders(world.folder)].count(late) == 1
    finish(world, desk, venue)


def test_nothing_is_sent_again_before_the_venue_cannot_accept_it_any_more(world: World) -> None:
    desk, venue = begun(world, planned((Fault.LOST, 6)))
    signed_at, lost = desk.runtime.wall.now(), venue.sent[5]
    while venue.sent.count(lost) == 1:
        later(desk, seconds=1)
        tend_once(desk)
    waited = desk.runtime.wall.now() - signed_at
    assert waited >= timedelta(seconds=5 + 15 + 2 * 5)  # recvWindow, the longest processing, two gaps of 5 s


def test_refusal_is_told_and_tried_again_after_its_cool_down(world: World) -> None:
    desk, venue = begun(world, planned((Fault.REFUSED, 6)))
    rest(desk, 5)
    assert len(venue.sent) == 7  # no hot loop
    assert ("warning", "order.refused") in alerts(desk)
    later(desk, seconds=40)
    rest(desk, 1)
    assert venue.sent[5] != venue.sent[7]  # proven: the next one has its own serial
    finish(world, desk, venue)


def test_duplicate_order_is_looked_up_and_adopted(world: World) -> None:
    """Every witness lies for half a minute, so the order goes again; the exchange says that it has it."""
    desk, venue = begun(world, planned((Fault.ANSWER_LOST, 7)))
    twice, balances = venue.sent[6], venue.inner.fetch_balances()
    venue.blind.add(twice)
    leave_out(venue, twice)
    unlocked = {asset: Balance(balance.total, Decimal(0)) for asset, balance in balances.items()}
    venue.fetch_balances = lambda: unlocked  # type: ignore[method-assign]
    later(desk, seconds=15)
    rest(desk, 4)
    assert venue.sent.count(twice) == 2
    assert state_of(desk, twice) in (IntentState.SENT, IntentState.UNKNOWN)
    venue.calm()
    del venue.fetch_balances, venue.fetch_open_orders
    rest(desk, 2)
    assert state_of(desk, twice) == IntentState.OPEN
    finish(world, desk, venue)


def test_filled_order_that_is_not_found_is_never_bought_again(world: World) -> None:
    """An exchange accepts the id again once the first order has filled: its trade is the witness."""
    desk, venue = begun(world, planned((Fault.ANSWER_LOST, 1), (Fault.NOT_FOUND, 1), lasts_s=HALF_AN_HOUR))
    rest(desk, 30)
    assert venue.sent.count(venue.sent[0]) == 1
    assert state_of(desk, venue.sent[0]) == IntentState.UNKNOWN
    assert ("warning", "trade.foreign") not in alerts(desk)
    venue.calm()
    rest(desk, 2)
    assert state_of(desk, venue.sent[0]) == IntentState.FILLED
    assert base_of(desk) > 0
    finish(world, desk, venue)


def test_order_that_fills_between_two_reads_of_a_pass_is_booked_as_ours(world: World) -> None:
    desk, venue = faulty(world, plan=planned((Fault.LATE, 1)))
    world.add(desk)
    reads, fetch_order = [], venue.fetch_order

    def denied_once(symbol: str, order_id: str) -> object:
        reads.append(order_id)
        return None if len(reads) == 1 else fetch_order(symbol, order_id)

    venue.fetch_order = denied_once  # type: ignore[method-assign]
    tend_once(desk)
    rest(desk, 2)
    assert ("warning", "trade.foreign") not in alerts(desk)
    assert state_of(desk, venue.sent[0]) == IntentState.FILLED
    finish(world, desk, venue)


def test_order_lost_before_a_long_outage_is_sent_again(world: World) -> None:
    """All witnesses agree that it is absent: no person is needed however late we ask."""
    desk, venue = begun(world, planned((Fault.LOST, 6)))
    later(desk, hours=9)
    rest(desk)
    assert state_of(desk, venue.sent[5]) == IntentState.OPEN
    assert ("critical", "order.quarantined") not in alerts(desk)
    finish(world, desk, venue)


@pytest.mark.parametrize("fee_in", list(FeeIn))
@pytest.mark.parametrize("number", [4, 7])
def test_locked_balance_alone_denies_that_an_order_is_absent(tmp_path: Path, fee_in: FeeIn, number: int) -> None:
    """Fees in quote: some exchanges lock less than the order may cost, and the witness must see it all the same."""
    world = World(tmp_path, course=CALM_COURSE, fee_in=fee_in)
    desk, venue = begun(world, planned((Fault.ANSWER_LOST, number)))
    hidden = venue.sent[number - 1]
    venue.blind.add(hidden)
    leave_out(venue, hidden)
    fetch = venue.fetch_balances
    locked = {asset: balance.locked for asset, balance in fetch().items()}
    fees = {"USDT": locked["USDT"] - sum(lock_of_buys(venue))}
    venue.fetch_balances = lambda: {  # type: ignore[method-assign]
        asset: Balance(b.free, b.locked - fees.get(asset, 0)) for asset, b in fetch().items()
    }
    rest(desk, 12)
    assert venue.sent.count(hidden) == 1
    world.end_processes()


def lock_of_buys(venue: FaultyVenue) -> list[Decimal]:
    """What an exchange locks that does not lock fees."""
    orders = venue.inner.fetch_open_orders(SYMBOL)
    return [order.price * order.quantity for order in orders if order.side is Side.BUY]


# ---- reading ---------------------------------------------------------------------------------------------------


def test_order_not_found_for_half_an_hour_waits(world: World) -> None:
    world.course = CALM_COURSE
    desk, venue = begun(world, planned((Fault.ANSWER_LOST, 6), (Fault.NOT_FOUND, 6), lasts_s=HALF_AN_HOUR - 20))
    for _ in range(100):
        later(desk, seconds=17)
        tend_once(desk)
    assert venue.sent.count(venue.sent[5]) == 1
    later(desk, seconds=90)
    tend_once(desk)
    assert state_of(desk, venue.sent[5]) == IntentState.OPEN
    finish(world, desk, venue)


def test_known_order_that_is_not_found_stays_open(world: World) -> None:
    desk, venue = begun(world, planned((Fault.STALE, 3), (Fault.NOT_FOUND, 6), lasts_s=60))
    before = resting(desk)
    rest(desk, 5)
    assert resting(desk) == before
    assert len(venue.sent) == 7
    finish(world, desk, venue)


@pytest.mark.parametrize("look_number", [2, 3, 4, 5])
def test_stale_open_orders_conclude_nothing(world: World, look_number: int) -> None:
    desk, venue = begun(world, planned((Fault.STALE, look_number), lasts_s=30))
    for _ in range(4):
        venue.inner.advance(SYMBOL)
        rest(desk, 2)
    finish(world, desk, venue)
    assert ("warning", "order.parked") not in alerts(desk)


def test_stale_open_orders_do_not_bring_a_cancelled_order_back(world: World) -> None:
    """The answer to our cancel is lost, an old list shows the order open, and it is wanted again."""
    world.course = CALM_COURSE
    desk, venue = begun(world, planned((Fault.CANCEL_ANSWER_LOST, 1)))
    stale, order_id = venue.inner.fetch_open_orders(SYMBOL), venue.sent[5]
    cancel(open_job(desk.db, venue, desk.runtime, BOT), order_id)
    assert state_of(desk, order_id) == IntentState.UNKNOWN_CANCEL
    venue.fetch_open_orders = lambda _symbol: stale  # type: ignore[method-assign]
    tend_once(desk)
    del venue.fetch_open_orders
    rest(desk, 2)
    assert state_of(desk, order_id) == IntentState.CANCELED
    assert ("warning", "order.parked") not in alerts(desk)
    assert len(resting(desk)) == 6
    finish(world, desk, venue)


@pytest.mark.parametrize("trade", [1, 2, 3, 5])
def test_delayed_trade_is_booked_when_it_shows(world: World, trade: int) -> None:
    desk, venue = begun(world, planned((Fault.DELAYED, trade), lasts_s=25))
    for _ in range(6):
        venue.inner.advance(SYMBOL)
        rest(desk, 1)
    later(desk, seconds=30)
    finish(world, desk, venue)


@pytest.mark.parametrize("reading", range(1, 7))
def test_failed_reading_changes_nothing_and_the_next_pass_goes_on(world: World, reading: int) -> None:
    desk, venue = faulty(world)
    world.add(desk)
    venue.plan = planned((Fault.SILENT, venue.reads + reading))
    with pytest.raises(VenueUnavailable):
        tend_once(desk)
    tend_once(desk)  # the lease was given back
    finish(world, desk, venue)


def test_a_look_at_a_silent_venue_fails_plainly(world: World) -> None:
    desk, venue = begun(world, FaultPlan(rates={Fault.SILENT: 0.0}))
    venue.plan = FaultPlan(rates={Fault.SILENT: 1.0})
    with pytest.raises(VenueUnavailable):
        look(desk.db, venue, desk.runtime, BOT)
