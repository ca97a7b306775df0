"""What only a person may do: resolve, adopt, cancel foreign orders, bring parked cells back, declare money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select

from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderRequest, OrderType
from cryptotrader.errors import InputRefused, LeaseHeld
from cryptotrader.execution.declare import declare_move
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.foreign import adopt_foreign, cancel_foreign, list_foreign
from cryptotrader.execution.parking import resume_cells
from cryptotrader.execution.resolve_order import resolve_order
from cryptotrader.execution.sweep import sweep_bot
from cryptotrader.store.audit import verify_audit
from cryptotrader.store.books import balance_of
from cryptotrader.store.bots import find_bot
from cryptotrader.store.intents import client_order_id, read_order_id
from cryptotrader.store.lease import take_lease
from cryptotrader.store.read import list_orders
from cryptotrader.store.schema import AuditRow, ExternalMoveRow, FillRow, IntentRow, IntentState, LeaseRow
from tests.execution.faults import Fault, FaultPlan, FaultyVenue
from tests.execution.scenes import faulty, resting, running
from tests.execution.world import BOT, SYMBOL, World, alerts, check_invariants, later, states, tend_once, trade_to_end

STRANGER = "ctzzzzzz0a0B000001"


def audited(desk: Desk) -> list[tuple[str, str]]:
    """Return (action, subject) of the audit log, the chain of which holds."""
    with desk.db.reading() as session:
        verify_audit(session)
        return [(row.action, row.subject) for row in session.scalars(select(AuditRow).order_by(AuditRow.id))]


def place_by_hand(desk: Desk, order_id: str, price: int = 900, quantity: str = "0.1", side: Side = Side.BUY) -> None:
    now = desk.runtime.wall.now()
    request = OrderRequest(order_id, SYMBOL, side, OrderType.LIMIT, Decimal(price), Decimal(quantity), now)
    desk.venue("paper").place_order(request)


def quarantined(world: World) -> tuple[Desk, FaultyVenue, str]:
    """A bot whose sixth order was put aside: its witnesses disagreed for half an hour. A person has cancelled it."""
    desk, venue = faulty(world, n6="answer lost")
    world.add(desk)
    tend_once(desk)
    order_id = venue.sent[5]
    venue.blind.add(order_id)
    later(desk, minutes=31)
    tend_once(desk)
    assert dict(states(desk))[order_id] == IntentState.QUARANTINED
    venue.inner.cancel_order(SYMBOL, order_id)
    return desk, venue, order_id


# ---- resolve


@pytest.mark.parametrize("end", ["void", "rejected", "canceled", "expired"])
def test_a_resolved_cell_trades_again(world: World, end: str) -> None:
    desk, _, order_id = quarantined(world)
    cells = len(resting(desk))
    tend_once(desk)
    assert len(resting(desk)) == cells
    resolve_order(desk, order_id, state=IntentState(end), reason="not there: I looked")
    assert dict(states(desk))[order_id] == end
    assert audited(desk)[-1] == ("orders.resolve", order_id)
    tend_once(desk)
    check_invariants(desk)
    assert [cell for cell, _, _ in resting(desk)] == [0, 1, 2, 3, 4, 5]


def test_the_venues_word_is_the_end(world: World) -> None:
    desk, venue, order_id = quarantined(world)
    venue.blind.clear()
    with pytest.raises(InputRefused, match="as canceled, not void") as refused:
        resolve_order(desk, order_id, state=IntentState.VOID, reason="never sent, I think")
    assert (refused.value.field, refused.value.hint) == ("as", "Use canceled.")
    resolve_order(desk, order_id, state=IntentState.CANCELED, reason="it was me")
    tend_once(desk)
    check_invariants(desk)


def test_resolving_refuses_other_orders(world: World) -> None:
    desk = running(world)
    (order_id, _) = states(desk)[-1]
    with pytest.raises(InputRefused, match=f"Order {order_id} is open, not quarantined"):
        resolve_order(desk, order_id, state=IntentState.CANCELED, reason="why not")
    with pytest.raises(InputRefused, match="There is no order 'ctnone'"):
        resolve_order(desk, "ctnone", state=IntentState.CANCELED, reason="why not")
    assert [action for action, _ in audited(desk)] == ["bot.add"]


@pytest.mark.parametrize(
    ("state", "reason", "field"),
    [("open", "x", "as"), ("pending", "x", "as"), ("filled", "x", "as"), ("canceled", " ", "reason")],
)
def test_resolving_refuses_what_cannot_be(world: World, state: str, reason: str, field: str) -> None:
    desk, _, order_id = quarantined(world)
    with pytest.raises(InputRefused) as refused:
        resolve_order(desk, order_id, state=IntentState(state), reason=reason)
    assert refused.value.field == field


def test_an_order_that_is_open_cannot_have_ended(world: World) -> None:
    desk, venue, order_id = quarantined(world)
    place_by_hand(desk, order_id, 901)
    venue.blind.clear()
    with pytest.raises(InputRefused, match="shows an order open under the id"):
        resolve_order(desk, order_id, state=IntentState.CANCELED, reason="gone")
    desk.venue("paper").cancel_order(SYMBOL, order_id)
    resolve_order(desk, order_id, state=IntentState.CANCELED, reason="cancelled it")
    tend_once(desk)
    check_invariants(desk)


def test_fills_of_a_quarantined_order_are_ours(world: World) -> None:
    plan = FaultPlan(at={Fault.ANSWER_LOST: frozenset({5}), Fault.NOT_FOUND: frozenset({5})},
                     lasts_s={Fault.NOT_FOUND: 3600})  # fmt: skip
    desk, venue = faulty(world, plan=plan)
    world.add(desk)
    tend_once(desk)
    order_id = venue.sent[4]
    later(desk, minutes=31)
    tend_once(desk)
    assert dict(states(desk))[order_id] == IntentState.QUARANTINED
    later(desk, minutes=31)  # now the venue shows it again
    trade_to_end(desk)
    with desk.db.reading() as session:
        intent = session.get_one(IntentRow, order_id)
        fills = session.scalars(select(FillRow).where(FillRow.client_order_id == order_id)).all()
    assert intent.state == IntentState.QUARANTINED
    assert intent.venue_order_id is not None
    assert sum(fill.quantity for fill in fills) == intent.filled_base > 0
    with pytest.raises(InputRefused, match="cannot have ended as canceled"):
        resolve_order(desk, order_id, state=IntentState.CANCELED, reason="guess")
    resolve_order(desk, order_id, state=IntentState.FILLED, reason="the exchange says so")
    trade_to_end(desk)
    check_invariants(desk)


# ---- foreign orders


def test_a_strangers_order_stops_the_symbol(world: World) -> None:
    desk = running(world)
    place_by_hand(desk, STRANGER, 905)
    before = resting(desk)
    trade_to_end(desk)
    assert len(resting(desk)) < len(before)  # what fills is booked, nothing follows it
    assert ("error", "order.foreign") in alerts(desk)
    with desk.db.reading() as session:
        assert f"{STRANGER} (buy 0.1 at 905)" in find_bot(session, BOT).note
    report = cancel_foreign(desk, SYMBOL, "paper", reason="an old installation")
    assert ([o.client_order_id for o in report.cancelled], report.left) == ([STRANGER], ())
    assert audited(desk)[-1] == ("orders.cancel-foreign", "paper")
    assert cancel_foreign(desk, SYMBOL, "paper", reason="again").cancelled == ()
    tend_once(desk)
    check_invariants(desk)
    with desk.db.reading() as session:
        assert find_bot(session, BOT).note == ""


def test_other_peoples_ids_are_left_alone(world: World) -> None:
    desk = running(world)
    place_by_hand(desk, "byhand")
    tend_once(desk)
    assert list_foreign(desk, SYMBOL, "paper") == ()
    check_invariants(desk)


def test_no_bot_is_added_beside_a_strangers_order(world: World) -> None:
    desk = world.start_process()
    place_by_hand(desk, STRANGER)
    with pytest.raises(InputRefused, match=STRANGER) as refused:
        world.add(desk)
    assert (refused.value.field, "orders adopt" in refused.value.hint) == ("symbol", True)
    cancel_foreign(desk, SYMBOL, "paper", reason="clean")
    world.add(desk)


def forget(desk: Desk, cell: int) -> str:
    """Remove an open order's row, as a restored backup does."""
    with desk.db.transaction("restore") as session:
        order_id = next(o.order_id for o in list_orders(session, BOT, open_only=True) if o.cell == cell)
        session.execute(delete(IntentRow).where(IntentRow.client_order_id == order_id))
    return order_id


def test_a_forgotten_order_is_adopted_when_it_fits(world: World) -> None:
    desk = running(world)
    expected = resting(desk)
    order_id = forget(desk, 1)
    tend_once(desk)
    assert len(resting(desk)) == 5
    assert ("error", "order.foreign") in alerts(desk)
    assert adopt_foreign(desk, BOT, [order_id], reason="backup of yesterday") == (order_id,)
    assert audited(desk)[-1] == ("orders.adopt", BOT)
    tend_once(desk)
    assert resting(desk) == expected
    trade_to_end(desk)
    check_invariants(desk)


def test_trades_of_a_forgotten_order_wait_for_its_adoption(world: World) -> None:
    world.partial_seed = 3
    desk = running(world)
    for _ in range(200):
        desk.venue("paper").advance(SYMBOL)
        part = [o for o in desk.venue("paper").fetch_open_orders(SYMBOL) if o.filled_base]
        if part:
            break
        tend_once(desk)
    name = read_order_id(part[0].client_order_id)
    assert name is not None
    order_id = forget(desk, name.slot.cell)
    assert order_id == part[0].client_order_id
    tend_once(desk)
    adopt_foreign(desk, BOT, [order_id], reason="backup")
    trade_to_end(desk)
    assert ("warning", "trade.foreign") not in alerts(desk)
    check_invariants(desk)


def test_what_does_not_fit_is_not_adopted(world: World) -> None:
    desk = running(world)
    with desk.db.reading() as session:
        ours = find_bot(session, BOT).incarnation
    wrong = client_order_id(ours, "cell", Side.BUY, 1, 99)  # type: ignore[arg-type]
    forgotten = forget(desk, 2)
    place_by_hand(desk, wrong, 951)
    place_by_hand(desk, STRANGER)
    for order_id, why in ((wrong, "wants no order"), (STRANGER, "is not of btc"), ("ctnot", "is no open order")):
        with pytest.raises(InputRefused, match=why) as refused:
            adopt_foreign(desk, BOT, [forgotten, order_id], reason="all of them")
        assert refused.value.field == "id"
    assert forgotten not in dict(states(desk))
    forget(desk, 1)
    with pytest.raises(InputRefused, match=r"cell 1 wants buy 0\.\d+ at 950"):
        adopt_foreign(desk, BOT, [wrong], reason="this one")


def test_ids_tell_what_they_are_of() -> None:
    slots = (("cell", Side.BUY, -3), ("cell", Side.SELL, 199), ("start", Side.BUY, 0), ("exit", Side.SELL, 0))
    for purpose, side, cell in slots:
        name = read_order_id(client_order_id("abc123", purpose, side, cell, 77))  # type: ignore[arg-type]
        assert name is not None
        assert (name.incarnation, name.slot.purpose, name.slot.cell, name.side, name.serial) == (
            "abc123", purpose, cell, side, 77,
        )  # fmt: skip
    assert read_order_id("ctbyhand") is None


# ---- parked cells


def test_a_parked_cell_comes_back(world: World) -> None:
    desk = running(world)
    with desk.db.reading() as session:
        order = next(o for o in list_orders(session, BOT, open_only=True) if o.cell == 1)
    desk.venue("paper").cancel_order(SYMBOL, order.order_id)
    tend_once(desk)
    assert 1 not in [cell for cell, _, _ in resting(desk)]
    assert resume_cells(desk, BOT, reason="my mistake") == (1,)
    assert audited(desk)[-1] == ("cells.resume", BOT)
    assert resume_cells(desk, BOT, reason="twice") == ()
    tend_once(desk)
    assert [cell for cell, _, _ in resting(desk)] == [0, 1, 2, 3, 4, 5]
    check_invariants(desk)


def test_a_command_waits_for_the_pass_at_work(world: World) -> None:
    desk = running(world)
    with desk.db.transaction("test") as session:
        take_lease(session, "paper", SYMBOL, holder="other", now=desk.runtime.wall.now())
    began = desk.runtime.wall.now()
    assert resume_cells(desk, BOT, reason="when it is free") == ()
    assert (desk.runtime.wall.now() - began).total_seconds() == 30
    assert sweep_bot(desk, BOT) == ()  # a lease given back by a command is no dead one


def test_a_command_gives_up_on_a_bot_that_is_never_free(world: World) -> None:
    desk = running(world)
    with desk.db.transaction("test") as session:
        take_lease(session, "paper", SYMBOL, holder="other", now=desk.runtime.wall.now())
        session.get_one(LeaseRow, ("paper", SYMBOL)).expires_at += timedelta(minutes=5)
    with pytest.raises(LeaseHeld, match="is traded by other"):
        resume_cells(desk, BOT, reason="never free")


# ---- declared money


def test_a_declared_deposit_explains_the_difference(world: World) -> None:
    desk = running(world)
    desk.venue("paper").deposit("USDT", Decimal(5))  # type: ignore[attr-defined]
    assert len(sweep_bot(desk, BOT)) == 1
    assert declare_move(desk, "paper", "USDT", Decimal(5), note="from my bank") == Decimal(1005)
    assert sweep_bot(desk, BOT) == ()
    assert audited(desk)[-1] == ("ledger.declare", "paper")
    with desk.db.reading() as session:
        move = session.scalars(select(ExternalMoveRow).where(ExternalMoveRow.kind == "declared")).one()
    assert (move.asset, move.amount, move.note) == ("USDT", Decimal(5), "from my bank")
    check_invariants(desk)


def test_a_withdrawal_takes_what_no_bot_owns(world: World) -> None:
    desk = running(world)
    with desk.db.reading() as session:
        owned = balance_of(session, f"bot:{BOT}", "USDT")
    with pytest.raises(InputRefused, match=rf"the withdrawal is 1000\.5: btc owns {owned:f}") as refused:
        declare_move(desk, "paper", "USDT", Decimal("-1000.5"), note="to my bank")
    assert (refused.value.field, refused.value.value) == ("amount", "-1000.5")
    desk.venue("paper").deposit("USDT", Decimal(-1000))  # type: ignore[attr-defined]
    assert declare_move(desk, "paper", "USDT", Decimal(-1000), note="to my bank") == 0
    assert sweep_bot(desk, BOT) == ()


@pytest.mark.parametrize(
    ("asset", "amount", "note", "field"),
    [
        ("usdt", "5", "x", "asset"),
        ("USDT", "0", "x", "amount"),
        ("USDT", "NaN", "x", "amount"),
        ("USDT", "5", "", "reason"),
    ],
)
def test_declaring_refuses_what_makes_no_sense(world: World, asset: str, amount: str, note: str, field: str) -> None:
    desk = running(world)
    with pytest.raises(InputRefused) as refused:
        declare_move(desk, "paper", asset, Decimal(amount), note=note)
    assert refused.value.field == field
