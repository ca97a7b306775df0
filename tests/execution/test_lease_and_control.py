"""Who may send, and when nobody may: leases and control."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cryptotrader.core.reconcile import Control
from cryptotrader.errors import LeaseHeld, LeaseLost
from cryptotrader.execution.commands import control_bot
from cryptotrader.store.lease import give_back, prove_lease, take_lease
from cryptotrader.store.schema import IntentRow, IntentState
from tests.execution.scenes import faulty, resting, running
from tests.execution.world import (
    BOT,
    SYMBOL,
    World,
    check_invariants,
    halt,
    later,
    states,
    tend_once,
    trade_to_end,
)


def test_a_second_trader_steps_back(world: World) -> None:
    desk = running(world)
    with desk.db.transaction("test") as session:
        take_lease(session, "paper", SYMBOL, holder="other", now=desk.runtime.wall.now())
    with pytest.raises(LeaseHeld, match="is traded by other until"):
        tend_once(desk)


def test_dead_holder_is_followed_after_its_lease(world: World) -> None:
    desk = running(world)
    with desk.db.transaction("test") as session:
        dead = take_lease(session, "paper", SYMBOL, holder="dead", now=desk.runtime.wall.now())
    later(desk, seconds=30)
    tend_once(desk)
    with desk.db.transaction("test") as session, pytest.raises(LeaseLost):
        prove_lease(session, dead, now=desk.runtime.wall.now(), needed=timedelta(seconds=1))


def test_paused_sender_finds_its_lease_gone(world: World) -> None:
    desk, venue = faulty(world)
    world.add(desk)

    def sleep_through(name: str) -> None:
        if name == "intend:after":
            later(desk, seconds=31)

    desk.db.checkpoint = sleep_through
    with pytest.raises(LeaseLost):
        tend_once(desk)
    assert venue.sent == []


def test_token_goes_up_with_every_take_over(world: World) -> None:
    desk = running(world)
    now, tokens = desk.runtime.wall.now(), []
    for holder in "abc":
        with desk.db.transaction("test") as session:
            lease = take_lease(session, "paper", "X/Y", holder=holder, now=now)
        with desk.db.transaction("test") as session:
            give_back(session, lease, now=now)
        tokens.append(lease.token)
    assert tokens == [1, 2, 3]


def test_slow_signing_is_signed_again(world: World) -> None:
    desk, venue = faulty(world)
    world.add(desk)
    slow = iter([True, False, *[False] * 99])

    def stall(name: str) -> None:
        if name == "sign:after" and next(slow):
            later(desk, seconds=2)

    desk.db.checkpoint = stall
    tend_once(desk)
    with desk.db.reading() as session:
        first = session.get_one(IntentRow, venue.sent[0])
    assert (first.signed_at - first.created_at, first.attempts) == (timedelta(seconds=2), 1)


def test_halt_sends_nothing_and_keeps_books(world: World) -> None:
    desk, venue = faulty(world)
    world.add(desk)
    tend_once(desk)
    sent = len(venue.sent)
    halt(desk)
    trade_to_end(desk)
    assert len(venue.sent) == sent
    halt(desk, Control.ACTIVE)
    trade_to_end(desk)
    assert len(venue.sent) > sent
    check_invariants(desk)


def test_halt_between_intent_and_send_voids(world: World) -> None:
    desk, venue = faulty(world)
    world.add(desk)
    other = world.start_process("person")

    def person(name: str) -> None:
        if name == "intend:after":
            desk.db.checkpoint = lambda _name: None
            control_bot(other, None, Control.HALTED, reason="now")

    desk.db.checkpoint = person
    tend_once(desk)
    assert venue.sent == []
    assert {state for _, state in states(desk)} == {IntentState.VOID}


def test_reducing_cancels_buys_and_keeps_sells(world: World) -> None:
    desk = running(world)
    halt(desk, Control.REDUCING)
    tend_once(desk)
    assert [side for _, side, _ in resting(desk)] == ["sell", "sell", "sell"]


def test_strictest_scope_wins(world: World) -> None:
    desk, venue = faulty(world)
    world.add(desk)
    control_bot(desk, None, Control.HALTED, reason="all")
    control_bot(desk, BOT, Control.ACTIVE, reason="one")
    tend_once(desk)
    assert venue.sent == []
