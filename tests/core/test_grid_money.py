"""Fees, growing sizes and the exit of a grid."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from cryptotrader.core.cells import BotState, Cell, CellStatus, Phase
from cryptotrader.core.grid.config import Sizing, StartMode
from cryptotrader.core.lots import Lot
from cryptotrader.core.market import FeeIn, Side
from cryptotrader.core.orders import OrderType
from cryptotrader.core.reconcile import Control
from cryptotrader.core.strategy import Idle, Wanted
from cryptotrader.errors import BooksDisagree
from tests.core.exchange import Exchange
from tests.core.grids import (
    BUYS,
    EXIT,
    GRID,
    LEVELS,
    MARKET,
    PRICE,
    Q,
    bought,
    buy_of,
    cell_slot,
    decide,
    fill,
    grid,
    sell_of,
    sold,
    started,
)

BUY, SELL = Side.BUY, Side.SELL
EMPTY, HELD = CellStatus.EMPTY, CellStatus.HELD
AT_MARKET = OrderType.MARKET


@pytest.mark.parametrize(
    ("fee_in", "lot", "realised"),
    [
        (FeeIn.BASE, Lot(1, Decimal("0.999"), Decimal(100)), "109.89"),
        (FeeIn.QUOTE, Lot(1, Decimal(1), Decimal("100.1")), "109.89"),
        (FeeIn.THIRD, Lot(1, Decimal(1), Decimal("100.1")), "109.89"),
    ],
)
def test_fee_asset_decides_lot_and_cost(fee_in, lot, realised):
    strategy = grid(replace(MARKET, fee_in=fee_in))
    state = BotState(phase=Phase.RUNNING, start_price=PRICE, cells=(Cell(0, EMPTY, Decimal(1)),))
    state = strategy.apply(state, fill(cell_slot(0), BUY, 100, "1", market=strategy.market)).state
    assert state.cells[0].lots == (lot,)
    applied = strategy.apply(state, fill(cell_slot(0), SELL, 110, lot.base, market=strategy.market))
    proceeds = 110 * lot.base * Decimal("0.999")
    assert (applied.realised, applied.state.cells[0].lots) == (proceeds - lot.cost_quote, ())


def test_sell_fee_in_base_leaves_with_its_cost():
    lots = (Lot(1, Decimal("1.01"), Decimal(101)),)
    state = BotState(phase=Phase.RUNNING, start_price=PRICE, cells=(Cell(0, HELD, Decimal(1), lots=lots),))
    in_base = replace(fill(cell_slot(0), SELL, 110, "1"), fee_asset="BTC", fee=Decimal("0.001"))
    applied = GRID.apply(state, in_base)
    assert (applied.realised, applied.state.base) == (Decimal("9.9"), Decimal("0.009"))


def test_sale_beyond_the_pool_disagrees():
    state = started(GRID)
    with pytest.raises(BooksDisagree, match="more base was sold"):
        GRID.apply(state, sold(state.cells[3], 64_000, Q))


# ---- compound --------------------------------------------------------------------------------------------------------


def test_compound_grows_with_realised_profit():
    strategy = grid(compound=True)
    state = replace(started(strategy), realised=Decimal(1000))
    desired = decide(state, strategy=strategy)
    unit = Decimal(216_000) + 2 * PRICE * Decimal("1.002001")
    grown = MARKET.floor_quantity(11_000 * Decimal("0.99") / unit)
    assert grown == Decimal("0.03229")
    assert desired.wanted == (*(buy_of(i, grown) for i in range(4)), sell_of(4), sell_of(5))


def test_compound_of_equal_quote_grows_each():
    strategy = grid(compound=True, sizing=Sizing.QUOTE)
    state = replace(started(strategy), realised=Decimal(1000))
    grown = [MARKET.floor_quantity(Decimal(10_890) / 6 / low) for low in LEVELS[:4]]
    assert [want.quantity for want in decide(state, strategy=strategy).wanted[:4]] == grown


def test_compound_never_shrinks_below_the_plan():
    strategy = grid(compound=True)
    state = replace(started(strategy), realised=Decimal(-1000))
    assert decide(state, strategy=strategy).wanted[:4] == BUYS


def test_compound_leaves_live_orders_alone():
    strategy = grid(compound=True)
    state = replace(started(strategy), realised=Decimal(1000))
    desired = decide(state, live={cell_slot(i) for i in range(6)}, strategy=strategy)
    assert desired.wanted == (*BUYS, sell_of(4), sell_of(5))


def test_compound_leaves_asked_quantity_alone():
    strategy = grid(compound=True, quantity=Decimal("0.01"))
    state = replace(started(strategy), realised=Decimal(1000))
    assert {want.quantity for want in decide(state, strategy=strategy).wanted} == {Decimal("0.01")}


def test_profit_is_not_reinvested_unasked():
    state = replace(started(GRID), realised=Decimal(1000))
    assert decide(state).wanted[:4] == BUYS


# ---- exit ------------------------------------------------------------------------------------------------------------


STOP = {"stop_loss_price": Decimal(45_000), "take_profit_price": Decimal(75_000)}


@pytest.mark.parametrize(("price", "phase"), [(45_000, Phase.RUNNING), ("44999.99", Phase.EXITING)])
def test_stop_loss_exits_when_traded_through(price, phase):
    strategy = grid(**STOP)
    assert decide(started(strategy), price, strategy=strategy).state.phase is phase


@pytest.mark.parametrize(("price", "phase"), [(75_000, Phase.RUNNING), ("75000.01", Phase.EXITING)])
def test_take_profit_exits_when_traded_through(price, phase):
    strategy = grid(**STOP)
    assert decide(started(strategy), price, strategy=strategy).state.phase is phase


def test_exit_cancels_then_sells_all():
    strategy = grid(**STOP)
    state = started(strategy)
    leaving = decide(state, 44_000, live={cell_slot(0), cell_slot(4)}, strategy=strategy)
    assert (leaving.wanted, leaving.idle) == ((), (Idle(-1, "exits: first its orders are cancelled"),))
    everything = Wanted(EXIT, SELL, AT_MARKET, Decimal(44_000), Decimal("0.0587"), "exit")
    assert decide(leaving.state, 44_000, strategy=strategy).wanted == (everything,)
    assert decide(leaving.state, 44_000, live={EXIT}, strategy=strategy).wanted == (everything,)


def test_exit_realises_loss_and_ends():
    strategy = grid(**STOP)
    state = replace(started(strategy), phase=Phase.EXITING)
    cost = Decimal("0.05876") * PRICE
    part = strategy.apply(state, fill(EXIT, SELL, 44_000, "0.04", completes=False)).state
    assert decide(part, 44_000, strategy=strategy).wanted[0].quantity == Decimal("0.0187")
    applied = strategy.apply(part, fill(EXIT, SELL, 44_000, "0.0187"))
    assert applied.state.base == Decimal("0.05876") * Decimal("0.999") - Decimal("0.0587")
    assert applied.state.realised + cost - applied.state.inventory_cost == Decimal("0.0587") * 44_000 * Decimal("0.999")
    ended = decide(applied.state, 44_000, strategy=strategy)
    assert (ended.state.phase, ended.wanted, ended.idle) == (Phase.ENDED, (), (Idle(-1, "the bot has ended"),))
    assert (ended.state.cycles, strategy.watches(ended.state)) == (0, ())


def test_exit_sells_unassigned_base_too():
    strategy = grid(**STOP)
    state = replace(started(strategy), start_lots=(Lot(8, Decimal("0.01"), Decimal(600)),), phase=Phase.EXITING)
    applied = strategy.apply(state, fill(EXIT, SELL, 60_000, "0.0105"))
    assert (applied.state.start_lots, applied.state.cells[4].pool) == ((), state.cells[4].pool - Decimal("0.0005"))


def test_exit_beyond_what_is_owned_disagrees():
    state = replace(started(GRID), phase=Phase.EXITING)
    with pytest.raises(BooksDisagree, match="more base than the bot owns"):
        GRID.apply(state, fill(EXIT, SELL, 44_000, "0.1"))


def test_bot_does_not_end_under_open_buys():
    strategy = grid(start=StartMode.CASH, **STOP)
    state = decide(BotState(), strategy=strategy).state
    leaving = decide(state, 76_000, live={cell_slot(3)}, strategy=strategy)
    assert (leaving.state.phase, leaving.idle) == (Phase.EXITING, (Idle(-1, "exits: first its orders are cancelled"),))
    late = strategy.apply(leaving.state, bought(leaving.state.cells[3], 60_000, Q)).state  # it filled all the same
    assert decide(late, 76_000, strategy=strategy).wanted == (
        Wanted(EXIT, SELL, AT_MARKET, Decimal(76_000), Decimal("0.02932"), "exit"),
    )


def test_bot_without_base_ends_at_once():
    strategy = grid(start=StartMode.CASH, **STOP)
    state = decide(BotState(), strategy=strategy).state
    assert decide(state, 76_000, strategy=strategy).state.phase is Phase.ENDED


def test_exit_passes_while_reducing():
    strategy = grid(**STOP)
    exchange = Exchange(strategy, 6_050_000, quote=Fraction(10_000))
    exchange.run_pass()
    exchange.control = Control.REDUCING
    exchange.step(4_499_999)
    exchange.run_pass()
    assert (exchange.state.phase, exchange.live) == (Phase.ENDED, {})
