"""How a grid begins: the first purchase and how it is shared out, holdings, and what is waited for."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cryptotrader.core.cells import BotState, CellStatus, Phase
from cryptotrader.core.grid.config import StartMode, StartOutside
from cryptotrader.core.lots import Lot
from cryptotrader.core.market import FeeIn, Side
from cryptotrader.core.orders import OrderType
from cryptotrader.core.strategy import Desired, Idle, Wanted
from tests.core.grids import (
    BUYS,
    GRID,
    LEVELS,
    MARKET,
    PRICE,
    START,
    Q,
    cell_slot,
    decide,
    fill,
    grid,
    sell_of,
    started,
    statuses,
)

BUY, SELL = Side.BUY, Side.SELL
EMPTY, HELD, WAITING = CellStatus.EMPTY, CellStatus.HELD, CellStatus.WAITING
LIMIT, AT_MARKET = OrderType.LIMIT, OrderType.MARKET
QUOTE_MARKET = replace(MARKET, fee_in=FeeIn.QUOTE)


def test_market_start_buys_before_it_sells():
    desired = decide(BotState())
    assert (desired.state.phase, desired.state.start_price, desired.state.first_price) == (Phase.STARTING, PRICE, PRICE)
    assert statuses(desired.state) == [EMPTY] * 4 + [WAITING] * 2
    assert desired.wanted == (Wanted(START, BUY, AT_MARKET, PRICE, Decimal("0.05876"), "start"), *BUYS)
    reason = "waits for the start order to bring its base"
    assert desired.idle == (Idle(4, reason), Idle(5, reason))


def test_start_shares_base_and_cost():
    state = started(GRID)
    base, cost = Decimal("0.05876") * Decimal("0.999"), Decimal("0.05876") * PRICE
    lowest, rest = Decimal("1777.452452452452"), base - 2 * Q  # 3554.98 shared by base, the odd digit in the second
    assert (state.phase, statuses(state)) == (Phase.RUNNING, [EMPTY] * 4 + [HELD] * 2)
    assert state.cells[4].lots == (Lot(1, Q, lowest), Lot(2, rest, Decimal("0.075095095095")))
    assert state.cells[5].lots == (Lot(1, Q, Decimal("1777.452452452453")),)
    assert (state.base, state.inventory_cost, state.start_lots) == (base, cost, ())
    assert decide(state).wanted == (*BUYS, sell_of(4), sell_of(5))


def test_limit_start_waits_at_its_price():
    strategy = grid(start=StartMode.LIMIT)
    desired = decide(BotState(), strategy=strategy)
    first = Wanted(START, BUY, LIMIT, PRICE, Decimal("0.05876"), "start")
    assert desired.wanted == (first, *BUYS)
    assert decide(desired.state, 62_000, live={START}, strategy=strategy).wanted == (first, *BUYS)


def test_limit_start_rounds_its_price_down():
    mid = Decimal("60500.005")  # a live mid price need not lie on the tick
    assert decide(BotState(), mid, strategy=grid(start=StartMode.LIMIT)).wanted[0].price == PRICE
    assert decide(BotState(), mid).wanted[0].price == mid


def test_late_market_start_is_priced_now():
    state = decide(BotState()).state
    assert decide(state, 61_000).wanted[0] == Wanted(
        START, BUY, AT_MARKET, Decimal(61_000), Decimal("0.05876"), "start"
    )


def test_part_of_the_start_is_completed():
    strategy = grid(QUOTE_MARKET)
    state = decide(BotState(), strategy=strategy).state
    part = fill(START, BUY, PRICE, "0.03", market=QUOTE_MARKET, completes=False)
    state = strategy.apply(state, part).state
    assert state.start_lots == (Lot(1, Decimal("0.03"), Decimal("1816.815")),)
    desired = decide(state, strategy=strategy)
    assert (desired.state.phase, desired.wanted[0].quantity) == (Phase.STARTING, Decimal("0.0287"))


def test_several_start_fills_cost_the_average():
    strategy = grid(QUOTE_MARKET)
    state = decide(BotState(), strategy=strategy).state
    for price, quantity in ((60_500, "0.03"), (60_600, "0.0287")):
        state = strategy.apply(state, fill(START, BUY, price, quantity, market=QUOTE_MARKET)).state
    cost = Decimal("0.03") * 60_500 * Decimal("1.001") + Decimal("0.0287") * 60_600 * Decimal("1.001")
    cells = decide(state, strategy=strategy).state.cells[4:]
    assert [cell.lots for cell in cells] == [(Lot(1, Q, cost / 2),), (Lot(1, Q, cost / 2),)]


def test_start_short_by_a_fee_fills_all_cells():
    strategy = grid(replace(MARKET, fee_in=FeeIn.THIRD))  # not grossed up; then the third asset has run out
    state = decide(BotState(), strategy=strategy).state
    state = strategy.apply(state, fill(START, BUY, PRICE, "0.0587", fee_in=FeeIn.BASE)).state
    state = decide(state, strategy=strategy).state
    assert [(cell.status, cell.pool) for cell in state.cells[4:]] == [(HELD, Q), (HELD, Decimal("0.0292913"))]
    assert decide(state, strategy=strategy).wanted == (*BUYS, sell_of(4), sell_of(5, "0.02929"))


def test_start_too_short_leaves_its_last_cell_waiting():
    strategy = grid(replace(MARKET, min_notional=Decimal(1300)))
    state = decide(BotState(), strategy=strategy).state
    state = strategy.apply(state, fill(START, BUY, PRICE, "0.0374", completes=False)).state  # 1292 USDT are missing
    state = decide(state, strategy=strategy).state
    assert (state.phase, [(cell.status, cell.pool) for cell in state.cells[4:]]) == (
        Phase.RUNNING, [(HELD, Decimal("0.0373626")), (WAITING, Decimal(0))],
    )  # fmt: skip


def test_price_below_the_range_buys_every_cell():
    strategy = grid(start_outside=StartOutside.START)
    desired = decide(BotState(), 40_000, strategy=strategy)
    assert statuses(desired.state) == [WAITING] * 6
    assert [want.slot for want in desired.wanted] == [START]


def test_price_above_the_range_buys_nothing():
    strategy = grid(start_outside=StartOutside.START)
    desired = decide(BotState(), 80_000, strategy=strategy)
    assert (desired.state.phase, statuses(desired.state)) == (Phase.RUNNING, [EMPTY] * 6)
    assert [want.slot for want in desired.wanted] == [cell_slot(i) for i in range(6)]


def test_cash_start_leaves_the_upper_cells_waiting():
    strategy = grid(start=StartMode.CASH)
    desired = decide(BotState(), strategy=strategy)
    assert (desired.state.phase, desired.wanted) == (Phase.RUNNING, BUYS)
    assert desired.idle == tuple(
        Idle(i, f"has no base to sell: empty once price trades through {LEVELS[i + 1]:.2f}") for i in (4, 5)
    )
    assert strategy.watches(desired.state) == (68_000, 72_000)


@pytest.mark.parametrize(
    ("holdings", "pools", "held"),
    [
        ("0", ["0", "0"], [WAITING, WAITING]),
        ("0.02", ["0.02", "0"], [WAITING, WAITING]),
        ("0.03", ["0.03", "0"], [HELD, WAITING]),
        ("0.0587", ["0.02935", "0.02935"], [HELD, HELD]),
        ("1.05870", ["1.02935", "0.02935"], [HELD, HELD]),
    ],
)
def test_assigned_holdings_fill_whole_cells(holdings, pools, held):
    strategy = grid(start=StartMode.EXISTING, holdings=Decimal(holdings))
    state = decide(BotState(), strategy=strategy).state
    assert (state.phase, statuses(state)[4:]) == (Phase.RUNNING, held)
    assert [cell.pool for cell in state.cells[4:]] == [Decimal(pool) for pool in pools]
    assert state.entry_cost == state.inventory_cost == Decimal(holdings) * PRICE
    planned = [(order.cell, order.side) for order in strategy.plan(PRICE).orders()]
    assert [(want.slot.cell, want.side) for want in decide(state, strategy=strategy).wanted] == planned


def test_holdings_above_the_range_rest_in_the_top_cell():
    strategy = grid(start=StartMode.EXISTING, holdings=Decimal(1), start_outside=StartOutside.START)
    state = decide(BotState(), 80_000, strategy=strategy).state
    assert (statuses(state), [cell.pool for cell in state.cells]) == ([EMPTY] * 6, [0, 0, 0, 0, 0, 1])


def test_start_buys_less_once_cells_are_passed():
    strategy = grid(start=StartMode.LIMIT)
    state = decide(BotState(), strategy=strategy).state
    desired = decide(state, "68000.01", live={START}, strategy=strategy)
    assert statuses(desired.state) == [EMPTY] * 5 + [WAITING]
    assert desired.wanted[0].quantity == Decimal("0.02938")
    assert decide(state, 72_001, strategy=strategy).state.phase is Phase.RUNNING


@pytest.mark.parametrize("price", ["47999.99", "72000.01"])
def test_price_outside_is_waited_for(price):
    desired = decide(BotState(), price)
    assert desired == Desired(
        BotState(first_price=Decimal(price)), (), (Idle(-1, "waits for the price to enter the range 48000 .. 72000"),)
    )
    assert decide(desired.state, 72_000).state.phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("first", "still", "through"),
    [(60_500, "65000", "65000.01"), (66_000, "65000", "64999.99"), (65_000, "65000", "65000.01")],
)
def test_trigger_fires_when_traded_through(first, still, through):
    strategy = grid(trigger_price=Decimal(65_000))
    waiting = decide(BotState(), first, strategy=strategy)
    reason = "waits for the price to trade through the trigger 65000"
    assert waiting == Desired(BotState(first_price=Decimal(first)), (), (Idle(-1, reason),))
    assert decide(waiting.state, still, strategy=strategy) == waiting
    begun = decide(waiting.state, through, strategy=strategy).state
    assert (begun.phase, begun.start_price) == (Phase.STARTING, Decimal(through))


def test_grid_refused_at_its_start_waits():
    strategy = grid(investment=Decimal("40.88"))  # enough at 60,500
    assert decide(BotState(), strategy=strategy).wanted
    desired = decide(BotState(), 71_000, strategy=grid(investment=Decimal("28.5"), start_outside=StartOutside.WAIT))
    assert (desired.state, desired.wanted) == (BotState(first_price=Decimal(71_000)), ())
    assert desired.idle[0].reason.startswith("cannot start at 71000: investment 28.5 is too small for 6 grids")


def test_watches_name_where_decisions_change():
    ends = {"stop_loss_price": Decimal(40_000), "take_profit_price": Decimal(80_000)}
    strategy = grid(trigger_price=Decimal(65_000), **ends)
    assert strategy.watches(BotState()) == (65_000, 48_000, 72_000)
    assert GRID.watches(BotState()) == (48_000, 72_000)
    state = started(grid(**ends))
    assert grid(**ends).watches(state) == (40_000, 80_000)
    assert grid(**ends).watches(replace(state, phase=Phase.EXITING)) == ()
