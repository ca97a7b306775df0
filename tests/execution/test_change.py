"""A grid changed under way: lots and history stay, what no longer fits goes, a pass places the new ladder."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from cryptotrader.core.cells import BotState, CellStatus
from cryptotrader.core.market import FeeIn
from cryptotrader.core.reconcile import Control
from cryptotrader.errors import InputRefused
from cryptotrader.execution.change import CellMove, ChangePreview, apply_change, preview_change
from cryptotrader.execution.commands import control_bot
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.stop import stop_bots
from cryptotrader.store.audit import verify_audit
from cryptotrader.store.books import balance_of
from cryptotrader.store.bots import find_bot, load_state
from cryptotrader.store.read import bot_profit, recent_fills
from cryptotrader.store.schema import AuditRow, IntentRow
from tests.execution.scenes import faulty, resting, running
from tests.execution.world import (
    BOT,
    COURSE,
    SYMBOL,
    Crashed,
    World,
    check_invariants,
    grid,
    states,
    tend_once,
    trade_to_end,
)

WHY = "the market has moved"


def state_of(desk: Desk) -> BotState:
    with desk.db.reading() as session:
        return load_state(session, find_bot(session, BOT))


def profit_of(desk: Desk) -> Decimal:
    price = desk.venue("paper").fetch_ticker(SYMBOL).last
    with desk.db.reading() as session:
        return bot_profit(session, find_bot(session, BOT), price).total_pnl


def changed(desk: Desk, **changes: object) -> ChangePreview:
    return apply_change(desk, BOT, grid(**changes), reason=WHY)


def test_a_preview_changes_nothing(world: World) -> None:
    desk = running(world)
    before, orders = state_of(desk), states(desk)
    preview = preview_change(desk, BOT, grid(num_grids=5))
    assert (state_of(desk), states(desk)) == (before, orders)
    assert preview.price == 1050
    assert len(preview.cancel) == 6
    assert [(want.slot.cell, want.side, want.price) for want in preview.place] == [
        (3, "sell", Decimal(1140)), (4, "sell", Decimal(1200)),
        (2, "buy", Decimal(1020)), (1, "buy", Decimal(960)),
    ]  # fmt: skip
    assert [(step.price, step.reason.split(":")[0]) for step in preview.wait] == [(Decimal(900), "capital")]
    assert (preview.kept, preview.capital_need, preview.quote_lacking > 0) == (0, 0, True)


def test_a_preview_tells_what_moves(world: World) -> None:
    desk = running(world)
    old = state_of(desk)
    preview = preview_change(desk, BOT, grid(num_grids=5))
    new_quantity = preview.place[0].quantity
    assert [move.cell for move in preview.moves] == [3, 4, 5]
    assert preview.moves[1] == CellMove(4, old.cells[4].pool, new_quantity, *(
        cost.quantize(Decimal("1e-12")) for cost in (
            old.cells[4].lots[0].cost_quote, old.inventory_cost * new_quantity / old.base)))  # fmt: skip
    assert sum(move.base_after - move.base_before for move in preview.moves) == 0
    assert sum(move.cost_after - move.cost_before for move in preview.moves) == 0
    assert preview.unheld_base == old.base - 2 * new_quantity
    assert preview.loss == 0


def test_applying_does_what_was_shown(world: World) -> None:
    desk = running(world)
    base, cost, profit = state_of(desk).base, state_of(desk).inventory_cost, profit_of(desk)
    preview = preview_change(desk, BOT, grid(num_grids=5))
    assert changed(desk, num_grids=5) == preview
    after = state_of(desk)
    assert (after.base, after.inventory_cost, profit_of(desk)) == (base, cost, profit)
    tend_once(desk)
    placed = {(want.slot.cell, want.side, want.price) for want in preview.place}
    assert set(resting(desk)) == placed
    check_invariants(desk)
    with desk.db.reading() as session:
        bot = find_bot(session, BOT)
        assert (bot.config_version, bot.config["num_grids"], bot.config["laid_out_at"]) == (2, "5", "1050")
        last = session.scalars(select(AuditRow).order_by(AuditRow.id.desc())).first()
        assert last is not None
        assert (last.action, last.subject, WHY in last.detail) == ("bot.change", BOT, True)
        verify_audit(session)


def test_orders_that_still_fit_stay(world: World) -> None:
    tenth = {"quantity": Decimal("0.1")}
    desk = running(world, **tenth)
    assert changed(desk, **tenth, lower=Decimal(850), num_grids=7).kept == 0  # every cell's number moves on by one
    tend_once(desk)
    before = resting(desk)
    preview = changed(desk, **tenth, lower=Decimal(850), upper=Decimal(1150))
    assert (preview.kept, [(order.price, why) for order, why in preview.cancel]) == (
        6, [(Decimal(1200), "no longer wanted")],
    )  # fmt: skip
    assert preview.unheld_base == Decimal("0.100699")  # one cell, and what the START rounded up
    tend_once(desk)
    assert resting(desk) == before[:-1]
    check_invariants(desk)


@pytest.mark.parametrize("fee_in", list(FeeIn))
@pytest.mark.parametrize("candle", [1, 2, 3, 5])
def test_a_changed_bot_trades_on_and_adds_up(world: World, fee_in: FeeIn, candle: int) -> None:
    world.fee_in = fee_in
    world.course = COURSE[: candle + 1]
    desk = running(world)
    trade_to_end(desk)
    realised, fills, cycles = state_of(desk).realised, len(fills_of(desk)), state_of(desk).cycles
    profit = profit_of(desk)
    changed(desk, lower=Decimal(880), upper=Decimal(1180), num_grids=10, investment=Decimal(1400))
    assert profit_of(desk) == profit
    tend_once(desk)
    check_invariants(desk)
    world.end_processes()
    world.course = COURSE
    desk = world.start_process("later")
    trade_to_end(desk)
    check_invariants(desk)
    after = state_of(desk)
    assert (after.cycles >= cycles, len(fills_of(desk)) >= fills) == (True, True)
    assert sum((fill.realised for fill in fills_of(desk)), Decimal(0)) == after.realised
    assert realised == sum((fill.realised for fill in fills_of(desk)[:fills]), Decimal(0))


def fills_of(desk: Desk) -> tuple[object, ...]:
    with desk.db.reading() as session:
        return recent_fills(session, BOT)


def test_cycles_go_on_above_every_number_used(world: World) -> None:
    desk = running(world)
    trade_to_end(desk)
    highest = max(cell.cycle for cell in state_of(desk).cells)
    changed(desk, num_grids=4)
    assert {cell.cycle for cell in state_of(desk).cells} == {highest + 1}


def test_inventory_above_the_range_is_carried(world: World) -> None:
    desk = running(world)
    base = state_of(desk).base
    preview = changed(desk, lower=Decimal(700), upper=Decimal(1000))
    assert preview.unheld_base == base
    state = state_of(desk)
    assert {cell.status for cell in state.cells} == {CellStatus.EMPTY}
    assert state.cells[5].pool == base
    assert preview.quote_lacking > 0  # it is in base: some buys wait for it
    assert [step.reason.split(":")[0] for step in preview.wait] == ["capital"] * len(preview.wait) != []
    tend_once(desk)
    check_invariants(desk)


def test_a_lower_grid_tells_the_loss_of_its_sells(world: World) -> None:
    world.course = (*COURSE[:1], (1050, 1051, 918, 920))
    desk = running(world)
    trade_to_end(desk)
    cost, base = state_of(desk).inventory_cost, state_of(desk).base
    preview = changed(desk, lower=Decimal(800), upper=Decimal(980), num_grids=6)
    state = state_of(desk)
    held = [cell for cell in state.cells if cell.status is CellStatus.HELD]
    averages = [sum(lot.cost_quote for lot in cell.lots[:1]) / cell.lots[0].base for cell in held]
    assert averages == sorted(averages)  # the cheapest base is sold at the lowest price
    assert (state.base, state.inventory_cost) == (base, cost)
    assert preview.loss > 0
    tend_once(desk)
    check_invariants(desk)


def test_investment_rises_from_the_wallet_and_falls_into_it(world: World) -> None:
    desk = running(world)
    profit = profit_of(desk)
    preview = changed(desk, investment=Decimal(1800))
    assert preview.capital_need == 800
    assert wallet(desk) == 200
    tend_once(desk)
    check_invariants(desk)
    changed(desk, investment=Decimal(1000), lower=Decimal(1000))
    assert (wallet(desk), profit_of(desk)) == (1000, profit)
    tend_once(desk)
    check_invariants(desk)


def wallet(desk: Desk) -> Decimal:
    with desk.db.reading() as session:
        return balance_of(session, "wallet:paper", "USDT")


@pytest.mark.parametrize(
    ("changes", "field", "why"),
    [
        ({"investment": Decimal(2001)}, "investment", "has 1000 USDT that no bot owns; btc needs 1001 more"),
        ({"investment": Decimal(100), "lower": Decimal(800)}, "investment", "would be left with"),
        ({"symbol": "ETH/USDT"}, "symbol", "btc trades BTC/USDT"),
        ({"holdings": Decimal(1)}, "holdings", "has started"),
        ({"lower": Decimal(1300)}, "lower", "is not below upper"),
        ({"stop_loss_price": Decimal(1060)}, "stop_loss_price", "would end at once"),
    ],
)
def test_a_change_that_cannot_be_is_refused(world: World, changes: dict[str, object], field: str, why: str) -> None:
    desk = running(world)
    before = states(desk)
    with pytest.raises(InputRefused, match=why) as refused:
        changed(desk, **changes)
    assert refused.value.field == field
    assert states(desk) == before


def test_a_bot_that_has_not_started_is_simply_another(world: World) -> None:
    world.deposit["BTC"] = Decimal(1)
    desk = world.start_process()
    world.add(desk)
    preview = changed(desk, num_grids=4, investment=Decimal(500), start="existing", holdings=Decimal("0.4"))
    assert (preview.cancel, preview.place, preview.moves, preview.capital_need) == ((), (), (), -500)
    assert wallet(desk) == 1500
    tend_once(desk)
    assert len(resting(desk)) == 4
    check_invariants(desk)


def test_an_ended_bot_cannot_be_changed(world: World) -> None:
    desk = running(world)
    stop_bots(desk, (BOT,), reason="out", sell=True)
    with pytest.raises(InputRefused, match="btc is ended: its cells cannot be moved now"):
        changed(desk, num_grids=5)


def test_a_halted_bot_is_changed_and_places_nothing(world: World) -> None:
    desk = running(world)
    stop_bots(desk, (BOT,), reason="wait")
    assert changed(desk, num_grids=5).kept == 0
    tend_once(desk)
    assert resting(desk) == []
    control_bot(desk, BOT, Control.ACTIVE, reason="go on")
    tend_once(desk)
    assert len(resting(desk)) == 4
    check_invariants(desk)


def test_an_unknown_order_holds_the_change_up(world: World) -> None:
    desk, venue = faulty(world, n6="answer lost")
    world.add(desk)
    tend_once(desk)
    venue.blind.add(venue.sent[5])
    with pytest.raises(InputRefused, match=f"btc was not changed: {venue.sent[5]} is unknown"):
        changed(desk, num_grids=5)
    venue.blind.clear()
    changed(desk, num_grids=5)
    tend_once(desk)
    check_invariants(desk)


def test_a_crash_at_any_point_of_a_change_converges(world: World) -> None:
    desk = running(world)
    world.passed.clear()
    changed(desk, num_grids=5)
    points = len(world.passed)
    tend_once(desk)
    assert points > 15
    for point in range(0, points, 4):
        grids = 6 if point % 8 else 7
        world.end_processes()
        world.passed.clear()
        world.crash_at = point
        victim = world.start_process(f"victim {point}")
        try:
            changed(victim, num_grids=grids)
        except Crashed:
            world.clock.sleep(31)
        world.end_processes()
        world.crash_at = None
        survivor = world.start_process(f"survivor {point}")
        tend_once(survivor)
        check_invariants(survivor)
    with world.start_process("end").db.reading() as session:
        assert len(session.scalars(select(IntentRow)).all()) > 20
