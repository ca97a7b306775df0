"""A bot closed for good: its orders gone, its books at zero, its money back in the wallet, and a last statement."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from cryptotrader.core.market import FeeIn
from cryptotrader.errors import InputRefused
from cryptotrader.execution.change import preview_change
from cryptotrader.execution.close import close_bot
from cryptotrader.execution.commands import add_bot, list_bots
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.resolve_order import resolve_order
from cryptotrader.execution.verify import verify_ledger
from cryptotrader.store.audit import verify_audit
from cryptotrader.store.books import holdings_of
from cryptotrader.store.bots import find_bot, load_state
from cryptotrader.store.read import bot_profit, bot_status
from cryptotrader.store.schema import AuditRow, IntentState
from tests.execution.scenes import faulty, running
from tests.execution.world import (
    BOT,
    SYMBOL,
    Crashed,
    World,
    check_invariants,
    grid,
    later,
    states,
    tend_once,
    trade_to_end,
)


def account_of(desk: Desk) -> dict[str, Decimal]:
    return {a: b.total for a, b in sorted(desk.venue("paper").fetch_balances().items()) if b.total}


def check_books(desk: Desk) -> None:
    """The bot owns nothing, the wallet all that the venue holds, and every check of the ledger holds."""
    with desk.db.reading() as session:
        bot = find_bot(session, BOT)
        assert holdings_of(session, f"bot:{BOT}") == {}
        assert holdings_of(session, "wallet:paper") == account_of(desk)
        assert load_state(session, bot).base == 0
        profit = bot_profit(session, bot, Decimal(777))  # whatever the price: only what was realised is left
        assert (profit.total_pnl, profit.inventory_pnl, profit.equity) == (bot.realised, 0, 0)
        verify_audit(session)
    assert [finding for finding in verify_ledger(desk) if not finding.is_ok] == []


@pytest.mark.parametrize("fee_in", list(FeeIn))
@pytest.mark.parametrize("sell", [True, False])
def test_a_closed_bot_leaves_books_at_zero(world: World, fee_in: FeeIn, sell: bool) -> None:
    world.fee_in = fee_in
    desk = running(world)
    trade_to_end(desk)
    statement = close_bot(desk, BOT, sell=sell, reason="done")
    assert desk.venue("paper").fetch_open_orders(SYMBOL) == ()
    check_books(desk)
    assert list_bots(desk) == ()
    assert (statement.sold > 0) == sell
    assert (statement.holdings.get("BTC", Decimal(0)) < Decimal("0.001")) == sell
    assert statement.fills == bot_status_fills(desk)
    assert statement.profit.total_pnl == statement.profit.grid_profit + statement.profit.inventory_pnl
    assert statement.fees.keys() == {FeeIn.BASE: {"BTC", "USDT"}, FeeIn.QUOTE: {"USDT"}, FeeIn.THIRD: {"BNB"}}[fee_in]
    assert (statement.investment, statement.cycles > 0, statement.closed_at > statement.opened_at) == (1000, True, True)
    with desk.db.reading() as session:
        actions = [row.action for row in session.scalars(select(AuditRow).order_by(AuditRow.id))]
    assert actions == ["bot.add", "stop", "bot.close"]


def bot_status_fills(desk: Desk) -> int:
    with desk.db.reading() as session:
        return bot_status(session, BOT).fills


def test_the_statement_adds_up_to_the_account(world: World) -> None:
    desk = running(world)
    trade_to_end(desk)
    with desk.db.reading() as session:
        bot = find_bot(session, BOT)
        before = bot_profit(session, bot, desk.venue("paper").fetch_ticker(SYMBOL).last)
    statement = close_bot(desk, BOT, sell=False, reason="done")
    assert statement.profit == before
    worth = statement.holdings["USDT"] + statement.holdings["BTC"] * statement.price
    assert worth - statement.investment == statement.profit.total_pnl


def test_a_bot_that_never_traded_gives_all_back(world: World) -> None:
    world.deposit["BTC"] = Decimal(1)
    desk = world.start_process()
    world.add(desk, start="existing", holdings=Decimal("0.4"))
    statement = close_bot(desk, BOT, sell=False, reason="changed my mind")
    assert statement.holdings == {"BTC": Decimal("0.4"), "USDT": Decimal(1000)}
    assert (statement.fills, statement.profit.total_pnl) == (0, 0)
    with desk.db.reading() as session:
        assert holdings_of(session, "wallet:paper") == account_of(desk)


def test_the_symbol_is_free_and_the_name_is_not(world: World) -> None:
    desk = running(world)
    close_bot(desk, BOT, sell=False, reason="done")
    with pytest.raises(InputRefused, match="There is a bot 'btc' already"):
        world.add(desk)
    with pytest.raises(InputRefused, match="Bot 'btc' was closed at"):
        close_bot(desk, BOT, sell=False, reason="again")
    with pytest.raises(InputRefused, match="Bot 'btc' was closed at"):
        preview_change(desk, BOT, grid())
    add_bot(desk, name="next", account="paper", config=grid(start="cash"))
    with desk.db.reading() as session:
        assert holdings_of(session, "bot:next") == {"USDT": Decimal(1000)}
    assert [finding for finding in verify_ledger(desk) if not finding.is_ok] == []


def test_closing_waits_for_an_unknown_order(world: World) -> None:
    desk, _ = faulty(world, n6="lost")
    world.add(desk)
    tend_once(desk)
    close_bot(desk, BOT, sell=False, reason="done")
    assert {state for _, state in states(desk)} <= {"filled", "canceled", "void"}
    check_books(desk)


def test_a_quarantined_order_holds_the_closing_up(world: World) -> None:
    desk, venue = faulty(world, n6="answer lost")
    world.add(desk)
    tend_once(desk)
    venue.blind.add(venue.sent[5])
    later(desk, minutes=31)
    tend_once(desk)
    with pytest.raises(InputRefused, match=f"halted but not closed: {venue.sent[5]} is quarantined"):
        close_bot(desk, BOT, sell=False, reason="done")
    resolve_order(desk, venue.sent[5], state=IntentState.CANCELED, reason="the stop has cancelled it")
    close_bot(desk, BOT, sell=False, reason="done")
    check_books(desk)


def test_closing_needs_a_reason(world: World) -> None:
    desk = running(world)
    with pytest.raises(InputRefused, match="reason is empty"):
        close_bot(desk, BOT, sell=False, reason="")
    check_invariants(desk)


def crash_while_closing(folder: Path, point: int | None, *, sell: bool) -> int:
    """Close a bot, ending the process at a point, and again from a new one; return the points of an undisturbed end."""
    world = World(folder)
    desk = running(world)
    world.passed.clear()
    world.crash_at = point
    with suppress(Crashed):
        close_bot(desk, BOT, sell=sell, reason="done")
    points = len(world.passed)
    world.end_processes()
    world.crash_at = None
    world.clock.sleep(31)
    survivor = world.start_process("survivor")
    if list_bots(survivor):
        close_bot(survivor, BOT, sell=sell, reason="again")
    check_books(survivor)
    world.end_processes()
    return points


@pytest.mark.parametrize("sell", [True, False])
def test_a_crash_at_any_point_of_closing_is_made_good(tmp_path_factory: pytest.TempPathFactory, sell: bool) -> None:
    points = crash_while_closing(tmp_path_factory.mktemp("whole"), None, sell=sell)
    assert points > 20
    for point in range(0, points, 2):
        crash_while_closing(tmp_path_factory.mktemp("crash"), point, sell=sell)
