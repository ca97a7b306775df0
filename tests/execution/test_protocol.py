"""The order protocol: what is sent, once; what is not proven, never again; who may, and who may not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text

from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderRequest, OrderType
from cryptotrader.core.reconcile import Control
from cryptotrader.errors import BooksDisagree, InputRefused
from cryptotrader.execution.commands import add_bot
from cryptotrader.execution.trading_pass import look
from cryptotrader.store.audit import verify_audit
from cryptotrader.store.bots import find_bot
from cryptotrader.store.guards import drop_guards
from cryptotrader.store.intents import client_order_id, move_intent
from cryptotrader.store.read import bot_levels, list_orders
from cryptotrader.store.schema import ARROWS, TERMINAL, AuditRow, IntentRow, IntentState
from tests.execution.scenes import faulty, resting, running
from tests.execution.world import (
    BOT,
    SYMBOL,
    World,
    alerts,
    check_invariants,
    grid,
    halt,
    hash_of,
    later,
    market,
    states,
    tend_once,
    trade_to_end,
)


def test_first_pass_buys_and_rests_a_ladder(world: World) -> None:
    desk = running(world)
    assert resting(desk) == [
        (0, "buy", Decimal(900)), (1, "buy", Decimal(950)), (2, "buy", Decimal(1000)),
        (3, "sell", Decimal(1100)), (4, "sell", Decimal(1150)), (5, "sell", Decimal(1200)),
    ]  # fmt: skip
    check_invariants(desk)


def test_second_pass_right_after_does_nothing(world: World) -> None:
    desk = running(world)
    before = states(desk)
    assert tend_once(desk).tally.total == 0
    assert states(desk) == before


def test_restart_continues_the_same_grid(world: World) -> None:
    before = resting(running(world))
    world.end_processes()
    again = world.start_process("second")
    assert tend_once(again).tally.total == 0
    assert resting(again) == before


def test_every_send_has_its_intent_first(world: World) -> None:
    desk, venue = faulty(world)
    seen: list[tuple[str, str]] = []
    place = venue.place_order

    def watched(request: OrderRequest) -> object:
        with desk.db.reading() as session:
            row = session.get_one(IntentRow, request.client_order_id)
            seen.append((row.state, f"{row.price} {row.quantity} {row.signed_at}"))
            assert (row.price, row.quantity, row.signed_at) == (request.price, request.quantity, request.signed_at)
        return place(request)

    venue.place_order = watched  # type: ignore[method-assign]
    world.add(desk)
    trade_to_end(desk)
    assert len(seen) > 7
    assert {state for state, _ in seen} == {IntentState.SENT}


def test_lost_answer_adopts_the_order(world: World) -> None:
    desk, venue = faulty(world, n1="answer lost", n3="answer lost")
    world.add(desk)
    trade_to_end(desk)
    check_invariants(desk)
    assert len(venue.sent) == len(set(venue.sent))


def test_lost_request_is_sent_again_under_its_id(world: World) -> None:
    desk, venue = faulty(world, n3="lost")
    world.add(desk)
    tend_once(desk)
    lost = venue.sent[2]
    for _ in range(3):
        tend_once(desk)
        assert dict(states(desk))[lost] == IntentState.UNKNOWN
        later(desk, seconds=6)
    for _ in range(6):
        later(desk, seconds=6)
        tend_once(desk)
    assert venue.sent.count(lost) == 2
    assert dict(states(desk))[lost] == IntentState.OPEN
    check_invariants(desk)


def test_unknown_order_blocks_its_cell_until_proven(world: World) -> None:
    desk, venue = faulty(world, n6="answer lost")
    world.add(desk)
    tend_once(desk)
    hidden = venue.sent[5]
    venue.blind.add(hidden)
    for _ in range(40):
        later(desk, seconds=6)
        tend_once(desk)
    assert venue.sent.count(hidden) == 1  # the open orders deny its absence
    venue.blind.clear()
    tend_once(desk)
    assert dict(states(desk))[hidden] == IntentState.OPEN
    check_invariants(desk)


def test_unknown_for_half_an_hour_is_quarantined(world: World) -> None:
    desk, venue = faulty(world, n6="answer lost")
    world.add(desk)
    tend_once(desk)
    venue.blind.add(venue.sent[5])
    later(desk, minutes=31)
    tend_once(desk)
    assert dict(states(desk))[venue.sent[5]] == IntentState.QUARANTINED
    assert ("critical", "order.quarantined") in alerts(desk)


def test_anothers_order_under_our_id_is_quarantined(world: World) -> None:
    desk, venue = faulty(world, n3="lost")
    world.add(desk)
    tend_once(desk)
    now = desk.runtime.wall.now()
    stranger = OrderRequest(venue.sent[2], SYMBOL, Side.BUY, OrderType.LIMIT, Decimal(901), Decimal("0.1"), now)
    venue.inner.place_order(stranger)
    tend_once(desk)
    assert dict(states(desk))[venue.sent[2]] == IntentState.QUARANTINED


def test_refused_order_cools_down_then_tries_again(world: World) -> None:
    desk, venue = faulty(world, n3="refused")
    world.add(desk)
    tend_once(desk)
    sent = len(venue.sent)
    tend_once(desk)
    assert len(venue.sent) == sent
    with desk.db.reading() as session:
        reasons = [line.reason for line in bot_levels(session, find_bot(session, BOT)) if line.reason]
    assert [reason.split(";")[0] for reason in reasons] == [
        "refused (-2010 Account has insufficient balance for requested action.)"
    ]
    later(desk, seconds=61)
    tend_once(desk)
    assert len(venue.sent) == sent + 1
    check_invariants(desk)


def test_somebody_elses_cancel_parks_the_cell(world: World) -> None:
    desk = running(world)
    with desk.db.reading() as session:
        order = next(o for o in list_orders(session, BOT, open_only=True) if o.cell == 1)
    desk.venue("paper").cancel_order(SYMBOL, order.order_id)
    tend_once(desk)
    assert [cell for cell, _, _ in resting(desk)] == [0, 2, 3, 4, 5]
    assert ("warning", "order.parked") in alerts(desk)
    trade_to_end(desk)
    assert 1 not in [cell for cell, _, _ in resting(desk)]


def test_strangers_trade_is_booked_as_external(world: World) -> None:
    desk = running(world)
    now = desk.runtime.wall.now()
    hand = OrderRequest("byhand", SYMBOL, Side.BUY, OrderType.MARKET, Decimal(1050), Decimal("0.1"), now)
    desk.venue("paper").place_order(hand)
    tend_once(desk)
    assert ("warning", "trade.foreign") in alerts(desk)
    trade_to_end(desk)
    check_invariants(desk)


def test_one_bot_an_account_and_symbol(world: World) -> None:
    desk = running(world)
    with pytest.raises(InputRefused, match="is traded by bot 'btc' already"):
        add_bot(desk, name="other", account="paper", config=grid(), market=market())


def test_bot_gets_no_more_than_the_wallet_has(world: World) -> None:
    desk = world.start_process()
    with pytest.raises(InputRefused, match="has 2000 USDT that no bot owns; btc needs 5000"):
        world.add(desk, investment=Decimal(5000))
    assert alerts(desk) == []
    with desk.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditRow)) == 0


def test_look_tells_work_and_changes_nothing(world: World) -> None:
    desk = world.start_process()
    world.add(desk)
    assert look(desk.db, desk.venue("paper"), desk.runtime, BOT) == ("0 orders to cancel, 4 to place",)
    assert states(desk) == []


def test_schedule_does_not_change_the_result(tmp_path_factory: pytest.TempPathFactory) -> None:
    hashes = set()
    for extra in (0, 1, 3):
        world = World(tmp_path_factory.mktemp("world"))
        desk = world.start_process()
        world.add(desk)
        for _ in range(extra):
            tend_once(desk)
        trade_to_end(desk)
        hashes.add(hash_of(desk))
        world.end_processes()
    assert len(hashes) == 1


@pytest.mark.parametrize("fee_in", ["base", "quote", "third"])
def test_books_agree_whatever_the_fee_asset(tmp_path: object, fee_in: str) -> None:
    from cryptotrader.core.market import FeeIn

    world = World(tmp_path, fee_in=FeeIn(fee_in))  # type: ignore[arg-type]
    desk = world.start_process()
    world.add(desk)
    trade_to_end(desk)
    check_invariants(desk)
    world.end_processes()


def test_order_ids_are_injective_and_short() -> None:
    ids = {
        client_order_id("abc123", purpose, side, cell, serial)
        for purpose in ("cell", "start", "exit")
        for side in Side
        for cell in (-5, 0, 1, 199)
        for serial in (1, 35, 36, 36**6 - 1)
        if purpose == "cell" or (cell == 0 and side is Side.BUY)
    }
    assert len(ids) == 2 * 4 * 4 + 2 * 4
    assert all(len(order_id) == 18 and order_id.isalnum() and order_id.startswith("ctabc123") for order_id in ids)
    with pytest.raises(BooksDisagree):
        client_order_id("abc123", "cell", Side.BUY, 0, 36**6)


def test_states_move_along_arrows_only() -> None:
    now = timedelta(0)
    refused = 0
    for start in IntentState:
        for end in IntentState:
            intent = IntentRow(client_order_id="x", state=start.value)
            if end is start or end in ARROWS[start]:
                move_intent(intent, end, now=now)
                assert intent.state == end
            else:
                refused += 1
                with pytest.raises(BooksDisagree):
                    move_intent(intent, end, now=now)
    assert refused > 90
    assert all(not ARROWS[state] for state in TERMINAL)


def test_audit_chain_tells_a_changed_row(world: World) -> None:
    desk = running(world)
    halt(desk)
    halt(desk, Control.ACTIVE)
    with desk.db.reading() as session:
        assert verify_audit(session) == 3
    with desk.db.transaction("forge") as session:
        for statement in drop_guards(session.get_bind().dialect.name):
            session.execute(text(statement))
        session.scalars(select(AuditRow).where(AuditRow.id == 2)).one().detail = "{}"
    with desk.db.reading() as session, pytest.raises(BooksDisagree, match="audit row 2"):
        verify_audit(session)
