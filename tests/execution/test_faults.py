"""Each fault by itself, and what must come of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cryptotrader.core.market import FeeIn, Side
from cryptotrader.core.orders import Balance, OrderRequest, OrderType, VenueOrder
from cryptotrader.core.reconcile import Control
from cryptotrader.errors import LeaseLost, VenueUnavailable
from cryptotrader.execution.cancel import cancel
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.job import open_job
from cryptotrader.execution.trading_pass import look
from cryptotrader.store.books import owned_assets
from cryptotrader.store.bots import find_bot, load_state
from cryptotrader.store.schema import IntentState
from tests.execution.faults import Fault, FaultPlan, FaultyVenue, planned
from tests.execution.oracle import accepted_orders, judge
from tests.execution.scenes import faulty, resting
from tests.execution.world import (
    BOT,
    SYMBOL,
    World,
    alerts,
    check_invariants,
    halt,
    later,
    market,
    states,
    tend_once,
    trade_to_end,
)

CALM_COURSE = ((1050, 1055, 1045, 1050),) * 3
HALF_AN_HOUR = 1800.0


def begun(world: World, plan: FaultPlan) -> tuple[Desk, FaultyVenue]:
    """A bot after its first pass (placement 1 is the START, 2 to 7 the ladder) behind a venue that fails by plan."""
    desk, venue = faulty(world, plan=plan)
    world.add(desk)
    tend_once(desk)
    return desk, venue


def rest(desk: Desk, passes: int = 8) -> None:
    """Run passes with six seconds between them."""
    for _ in range(passes):
        later(desk, seconds=6)
        tend_once(desk)


def state_of(desk: Desk, order_id: str) -> str:
    return dict(states(desk))[order_id]


def base_of(desk: Desk) -> Decimal:
    with desk.db.reading() as session:
        return load_state(session, find_bot(session, BOT)).base


def leave_out(venue: FaultyVenue, order_id: str) -> None:
    """Never show this order among the open ones, until the attribute is deleted."""
    fetch = venue.fetch_open_orders

    def without(symbol: str | None) -> tuple[VenueOrder, ...]:
        return tuple(order for order in fetch(symbol) if order.client_order_id != order_id)

    venue.fetch_open_orders = without  # type: ignore[method-assign]


def finish(world: World, desk: Desk, venue: FaultyVenue) -> None:
    """Trade the course to its end in calm, and judge."""
    venue.calm()
    trade_to_end(desk)
    judge(desk, world.folder, world.deposit)


# ---- sending ---------------------------------------------------------------------------------------------------


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


# ---- orders ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.CANCEL_LOST, Fault.CANCEL_ANSWER_LOST])
def test_cancel_without_an_answer_is_proven_first(world: World, fault: Fault) -> None:
    desk, venue = begun(world, planned((fault, 1)))
    halt(desk, Control.REDUCING)
    tend_once(desk)
    assert [side for _, side, _ in resting(desk)] == ["sell"] * 3
    halt(desk, Control.ACTIVE)
    rest(desk, 2)
    assert len(resting(desk)) == 6
    assert ("warning", "order.parked") not in alerts(desk)
    finish(world, desk, venue)


def test_cancel_that_meets_a_fill_books_the_fill(world: World) -> None:
    desk, venue = begun(world, planned())
    before, cancel_order, nearest = base_of(desk), venue.cancel_order, venue.sent[1]

    def filled_first(symbol: str, order_id: str) -> object:
        if order_id == nearest:
            venue.inner.advance(symbol)
        return cancel_order(symbol, order_id)

    venue.cancel_order = filled_first  # type: ignore[method-assign]
    halt(desk, Control.REDUCING)
    tend_once(desk)
    del venue.cancel_order
    assert base_of(desk) > before
    halt(desk, Control.ACTIVE)
    finish(world, desk, venue)


@pytest.mark.parametrize("by_hand", [False, True])
def test_partial_fill_then_cancel_keeps_the_part(world: World, by_hand: bool) -> None:
    world.partial_seed = 3
    desk, venue = begun(world, planned())
    before = base_of(desk)
    while base_of(desk) == before:
        venue.inner.advance(SYMBOL)
        part = next(o for o in venue.inner.fetch_open_orders(SYMBOL) if o.filled_base)
        if by_hand:
            venue.inner.cancel_order(SYMBOL, part.client_order_id)
        else:
            halt(desk, Control.REDUCING)
        tend_once(desk)
    assert base_of(desk) - before == part.filled_base * (1 - market().maker_fee)
    assert state_of(desk, part.client_order_id) == IntentState.CANCELED
    assert (("warning", "order.parked") in alerts(desk)) == by_hand
    halt(desk, Control.ACTIVE)
    finish(world, desk, venue)


def test_orders_that_fill_in_parts_end_in_the_same_money(world: World) -> None:
    world.partial_seed = 11
    desk, venue = begun(world, planned())
    finish(world, desk, venue)
    check_invariants(desk)


def test_trade_by_hand_while_an_order_is_unknown_is_told_apart_from_it(world: World) -> None:
    desk, venue = begun(world, planned((Fault.ANSWER_LOST, 1)))
    hand = OrderRequest("byhand", SYMBOL, Side.BUY, OrderType.MARKET, Decimal(1050), Decimal("0.1"),
                        desk.runtime.wall.now())  # fmt: skip
    venue.inner.place_order(hand)
    rest(desk, 1)
    assert alerts(desk).count(("warning", "trade.foreign")) == 1
    assert state_of(desk, venue.sent[0]) == IntentState.FILLED
    finish(world, desk, venue)


def test_deposit_and_withdrawal_leave_the_bots_books_alone(world: World) -> None:
    desk, venue = begun(world, planned())
    with desk.db.reading() as session:
        before = owned_assets(session, "paper", [BOT])
    venue.inner.deposit("USDT", Decimal(50))
    tend_once(desk)
    venue.inner.deposit("USDT", Decimal(-70))
    tend_once(desk)
    with desk.db.reading() as session:
        assert owned_assets(session, "paper", [BOT]) == before
    finish(world, desk, venue)


def test_no_refusal_is_believed_of_a_request_that_another_process_sent_again(world: World) -> None:
    """A sender is stopped past its window; meanwhile another proves its order absent, sends it, and it is accepted."""
    world.course = CALM_COURSE
    desk, venue = faulty(world)
    world.add(desk)
    other = world.start_process("other")
    first: list[str] = []

    def stopped(name: str) -> None:
        if name == "send:before" and not first:
            first.append(states(desk)[0][0])
            later(desk, seconds=31)
            rest(other, 1)
            again = len(venue.sent) + 1
            venue.plan = planned((Fault.ANSWER_LOST, again), (Fault.NOT_FOUND, again), lasts_s=HALF_AN_HOUR)
            while first[0] not in venue.sent:
                rest(other, 1)

    desk.db.checkpoint = stopped
    with pytest.raises(LeaseLost, match="sent again by another"):
        tend_once(desk)
    assert state_of(desk, first[0]) in (IntentState.SENT, IntentState.UNKNOWN)
    venue.calm()
    rest(other, 3)
    assert venue.sent.count(first[0]) == 2  # the stopped one's too, which the venue refused
    assert state_of(desk, first[0]) == IntentState.FILLED
    finish(world, other, venue)


def test_signing_again_obeys_a_stop(world: World) -> None:
    """A sender is stopped between signing and sending for seconds, in which a person halts."""
    desk, venue = faulty(world)
    world.add(desk)
    person = world.start_process("person")

    def stalled(name: str) -> None:
        if name == "sign:after":
            desk.db.checkpoint = lambda _name: None
            halt(person)
            later(desk, seconds=4)

    desk.db.checkpoint = stalled
    tend_once(desk)
    assert venue.sent == []
    rest(desk)
    assert venue.sent == []
    halt(desk, Control.ACTIVE)
    finish(world, desk, venue)


def test_two_cancels_of_one_order_are_both_ours(world: World) -> None:
    """A stop cancels without a lease; a pass that meets the same cancel must not take it for a stranger's."""
    world.course = CALM_COURSE
    desk, venue = begun(world, planned())
    person = world.start_process("person")

    def meanwhile(name: str) -> None:
        if name == "cancel:after":  # it is written down, and under way
            person.db.checkpoint = lambda _name: None
            tend_once(desk)

    person.db.checkpoint = meanwhile
    cancel(open_job(person.db, venue, person.runtime, BOT), venue.sent[5])
    rest(desk, 2)
    assert ("warning", "order.parked") not in alerts(desk)
    finish(world, desk, venue)
