"""Cancels, parts, people at the exchange, and processes that meet over one order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderRequest, OrderType, VenueOrder
from cryptotrader.core.reconcile import Control
from cryptotrader.errors import LeaseLost
from cryptotrader.execution.book import book_trades
from cryptotrader.execution.cancel import cancel
from cryptotrader.execution.job import open_job
from cryptotrader.execution.settle import settle
from cryptotrader.store.books import owned_assets
from cryptotrader.store.intents import find_by_venue_id
from cryptotrader.store.schema import IntentRow, IntentState
from tests.execution.fault_scenes import CALM_COURSE, HALF_AN_HOUR, base_of, begun, finish, rest, state_of
from tests.execution.faults import Fault, planned
from tests.execution.scenes import faulty, resting
from tests.execution.world import BOT, SYMBOL, World, alerts, check_invariants, halt, later, market, states, tend_once


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
            first.extend(order_id for order_id, state in states(desk) if state == IntentState.SENT)
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


@pytest.mark.parametrize("by_hand", [False, True])
def test_cancelled_order_waits_for_the_part_that_is_not_shown_yet(world: World, by_hand: bool) -> None:
    """Its fill is known, the trade is not: a new order now would buy the part again."""
    world.partial_seed = 3
    desk, venue = begun(world, planned((Fault.DELAYED, 2), lasts_s=60))
    venue.inner.advance(SYMBOL)
    part = next(o for o in venue.inner.fetch_open_orders(SYMBOL) if o.filled_base)
    if by_hand:
        venue.inner.cancel_order(SYMBOL, part.client_order_id)
    else:
        halt(desk, Control.REDUCING)
        tend_once(desk)
        halt(desk, Control.ACTIVE)
    rest(desk, 4)
    assert state_of(desk, part.client_order_id) in (IntentState.OPEN, IntentState.CANCEL_SENT)
    rest(desk, 10)
    assert state_of(desk, part.client_order_id) == IntentState.CANCELED
    finish(world, desk, venue)


def test_cancel_that_another_process_proves_first_is_no_strangers(world: World) -> None:
    desk, venue = begun(world, planned((Fault.CANCEL_ANSWER_LOST, 1)))
    order_id, fetch = venue.sent[6], venue.fetch_order
    stop = open_job(desk.db, venue, desk.runtime, BOT)
    cancel(stop, order_id)

    def proven_meanwhile(symbol: str, asked: str) -> VenueOrder | None:
        order = fetch(symbol, asked)
        if asked == order_id and order is not None:
            with desk.db.reading() as session:
                intent = session.get_one(IntentRow, order_id)
            settle(stop, intent, order)
        return order

    venue.fetch_order = proven_meanwhile  # type: ignore[method-assign]
    tend_once(desk)
    del venue.fetch_order
    assert state_of(desk, order_id) == IntentState.CANCELED
    assert ("warning", "order.parked") not in alerts(desk)
    rest(desk, 1)
    assert len(resting(desk)) == 6
    finish(world, desk, venue)


def test_trade_that_comes_twice_is_booked_once(world: World) -> None:
    desk, venue = begun(world, planned())
    job, trades = open_job(desk.db, venue, desk.runtime, BOT), venue.inner.fetch_trades(SYMBOL, 0)
    before = base_of(desk)
    assert book_trades(job, (*trades, *trades)) == ()
    assert (base_of(desk), job.tally.fills) == (before, 0)
    finish(world, desk, venue)


def test_order_numbers_of_another_symbol_are_not_taken_for_ours(world: World) -> None:
    """Exchanges number orders by symbol: the same number is another order there."""
    desk, venue = begun(world, planned())
    trade = venue.inner.fetch_trades(SYMBOL, 0)[0]
    with desk.db.reading() as session:
        assert find_by_venue_id(session, "paper", SYMBOL, trade.venue_order_id) is not None
        assert find_by_venue_id(session, "paper", "ETH/USDT", trade.venue_order_id) is None
    finish(world, desk, venue)
