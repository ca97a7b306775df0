"""Stop: halted at once, every order cancelled, and the proof that none is left."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cryptotrader.core.reconcile import Control
from cryptotrader.errors import InputRefused
from cryptotrader.execution.commands import control_bot
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.latch import latch_path
from cryptotrader.execution.stop import stop_bots
from cryptotrader.execution.sweep import sweep_bot
from cryptotrader.execution.tend import trade_until_now
from cryptotrader.store.bots import find_bot, load_state
from cryptotrader.store.lease import take_lease
from cryptotrader.store.schema import ControlRow, IntentRow
from tests.execution.scenes import faulty, resting
from tests.execution.world import BOT, SYMBOL, World, check_invariants, later, states, tend_once, trade_to_end


def started(world: World) -> Desk:
    desk = world.start_process()
    world.add(desk)
    tend_once(desk)
    return desk


def test_stop_cancels_everything_and_proves_it(world: World) -> None:
    desk = started(world)
    said: list[str] = []
    report = stop_bots(desk, (BOT,), reason="enough", on_progress=said.append)
    assert (report.state, report.cancelled, report.open_orders, report.reads) == ("halted", 6, 0, 3)
    assert report.seconds == Decimal("15.0")  # recvWindow 5 s and 10 s more between the two empty reads
    assert said[0] == "halted: btc"
    assert desk.venue("paper").fetch_open_orders(SYMBOL) == ()
    assert {state for _, state in states(desk)} == {"filled", "canceled"}


def test_stop_holds_until_a_person_resumes(world: World) -> None:
    desk = started(world)
    before = resting(desk)
    stop_bots(desk, None, reason="enough")
    trade_to_end(desk)
    assert resting(desk) == []
    control_bot(desk, None, Control.ACTIVE, reason="seen and fixed")
    tend_once(desk)
    assert len(resting(desk)) == len(before)
    check_invariants(desk)


def test_stop_survives_a_restart(world: World) -> None:
    stop_bots(started(world), (BOT,), reason="enough")
    world.end_processes()
    again = world.start_process("second")
    tend_once(again)
    assert resting(again) == []


def test_stop_needs_no_lease(world: World) -> None:
    desk = started(world)
    with desk.db.transaction("test") as session:
        take_lease(session, "paper", SYMBOL, holder="trader", now=desk.runtime.wall.now())
    assert stop_bots(desk, (BOT,), reason="enough").open_orders == 0


def test_stop_cancels_what_the_books_do_not_know_yet(world: World) -> None:
    desk, venue = faulty(world, n6="answer lost")
    world.add(desk)
    tend_once(desk)
    venue.blind.add(venue.sent[5])
    assert stop_bots(desk, (BOT,), reason="enough").open_orders == 0
    assert desk.venue("paper").fetch_open_orders(SYMBOL) == ()


def test_stop_can_leave_orders_resting(world: World) -> None:
    desk = started(world)
    report = stop_bots(desk, (BOT,), reason="look at it", cancel_orders=False)
    assert (report.cancelled, report.open_orders, report.reads) == (0, 6, 0)


def test_stop_sells_what_the_ledger_holds(world: World) -> None:
    desk = started(world)
    report = stop_bots(desk, (BOT,), reason="out", sell=True)
    assert report.sold > 0
    with desk.db.reading() as session:
        left = load_state(session, find_bot(session, BOT))
    assert (left.phase, left.base < Decimal("0.001")) == ("ended", True)
    check_invariants(desk)


@pytest.mark.parametrize(
    ("options", "field"),
    [({"reason": " "}, "reason"), ({"reason": "x", "sell": True, "cancel_orders": False}, "sell")],
)
def test_stop_refuses_what_makes_no_sense(world: World, options: dict[str, object], field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        stop_bots(started(world), (BOT,), **options)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_sweep_finds_nothing_wrong_with_a_running_bot(world: World) -> None:
    assert sweep_bot(started(world), BOT) == ()


def test_sweep_finds_silence_and_a_dead_holder(world: World) -> None:
    desk = started(world)
    later(desk, minutes=5)
    with desk.db.transaction("test") as session:
        take_lease(session, "paper", SYMBOL, holder="dead", now=desk.runtime.wall.now())
    later(desk, minutes=2)
    assert [(f.kind, f.severity) for f in sweep_bot(desk, BOT)] == [("bot.silent", "error"), ("lease.dead", "warning")]


def test_sweep_finds_money_that_nobody_explains(world: World) -> None:
    desk = started(world)
    desk.venue("paper").deposit("USDT", Decimal(5))  # type: ignore[attr-defined]
    assert [f.message for f in sweep_bot(desk, BOT)] == ["paper: +5 USDT that the ledger does not explain"]


def test_sweep_finds_the_price_outside_the_range(world: World) -> None:
    world.course = (*world.course[:1], (1050, 1300, 1050, 1290))
    desk = world.start_process()
    world.add(desk)
    trade_to_end(desk)
    assert [f.kind for f in sweep_bot(desk, BOT)] == ["range.above"]


def test_stop_works_while_the_database_is_away(world: World) -> None:
    desk = started(world)

    def away(name: str) -> None:
        raise OperationalError(name, None, Exception("database is down"))

    desk.db.checkpoint = away
    report = stop_bots(desk, None, reason="fire")
    assert (report.cancelled, report.open_orders, report.reads) == (6, 0, 3)
    assert "database is down" in report.report
    world.end_processes()
    again = world.start_process("second")
    assert latch_path(again).exists()
    assert trade_until_now(again, BOT).placed == 0
    assert not latch_path(again).exists()
    with again.db.reading() as session:
        row = session.get_one(ControlRow, "global")
    assert (row.state, row.reason) == ("halted", "tester: fire")


def test_sweep_finds_a_fill_that_was_never_booked(world: World) -> None:
    desk = started(world)
    with desk.db.transaction("forge") as session:
        order = session.scalars(select(IntentRow).where(IntentRow.purpose == "start")).one()
        order.filled_base -= Decimal("0.001")
    assert [f.kind for f in sweep_bot(desk, BOT)] == ["fills.missing"]
