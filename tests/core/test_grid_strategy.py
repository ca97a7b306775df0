"""The rules of a cell: what each fill, cancel and price makes of it, and what it carries."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from cryptotrader.core.cells import BotState, Cell, CellStatus
from cryptotrader.core.grid.config import ForeignCancel, StartMode
from cryptotrader.core.lots import Lot
from cryptotrader.core.orders import OrderType
from cryptotrader.core.strategy import Applied, Idle
from tests.core.exchange import Exchange
from tests.core.grids import (
    BUYS,
    EXIT,
    GRID,
    MARKET,
    PRICE,
    START,
    Q,
    bought,
    buy_of,
    cell_slot,
    decide,
    grid,
    sell_of,
    sold,
    started,
    with_cell,
)

EMPTY, HELD, WAITING, PARKED = CellStatus.EMPTY, CellStatus.HELD, CellStatus.WAITING, CellStatus.PARKED
POST, LIMIT = OrderType.POST_ONLY, OrderType.LIMIT


def test_done_buy_makes_the_cell_held():
    state = started(GRID)
    applied = GRID.apply(state, bought(state.cells[3], 60_000, Q))
    net = Q * Decimal("0.999")
    cell = Cell(3, HELD, Q, bought=Q, lots=(Lot(3, net, Decimal(1761)),))
    assert applied == Applied(replace(state.with_cell(cell), next_seq=4), Decimal(0))
    assert decide(applied.state, 59_999).wanted[3] == sell_of(3, "0.02932")


def test_done_sell_makes_the_cell_empty():
    state = started(GRID)
    state = GRID.apply(state, bought(state.cells[3], 60_000, Q)).state
    applied = GRID.apply(state, sold(state.cells[3], 64_000, "0.02932"))
    realised, dust = Decimal("113.642559039039"), Lot(3, Decimal("0.00000065"), Decimal("0.039039039039"))
    assert applied.realised == applied.state.realised == realised  # the example of docs/strategy.md
    assert (applied.state.cells[3], applied.state.cycles) == (Cell(3, EMPTY, Q, cycle=1, lots=(dust,)), 1)
    assert decide(applied.state, 64_001).wanted[3] == buy_of(3, cycle=1)


def test_partial_fills_are_booked_at_once():
    state = started(GRID)
    state = GRID.apply(state, bought(state.cells[3], 60_000, "0.01", completes=False)).state
    cell = state.cells[3]
    assert (cell.status, cell.bought, cell.pool) == (EMPTY, Decimal("0.01"), Decimal("0.00999"))
    assert decide(state, live={cell_slot(3)}).wanted[3].quantity == Decimal("0.01935")
    state = GRID.apply(state, bought(cell, 60_000, "0.01935")).state
    assert (state.cells[3].status, state.cells[3].bought) == (HELD, Q)
    applied = GRID.apply(state, sold(state.cells[3], 64_000, "0.00932", completes=False))
    assert (applied.realised > 0, applied.state.cells[3].sold) == (True, Decimal("0.00932"))
    assert decide(applied.state, live={cell_slot(3)}).wanted[3].quantity == Decimal("0.02")


def test_cancelled_buy_buys_its_rest():
    state = with_part_bought("0.01")
    assert decide(state).wanted[3] == buy_of(3, "0.01935")


def test_cancelled_buy_with_small_rest_is_held():
    state = with_part_bought("0.02930")  # 3 USDT are missing
    desired = decide(state)
    assert (desired.state.cells[3].status, desired.state.cycles) == (HELD, 0)
    assert desired.wanted[3] == sell_of(3, "0.02927")


def test_live_buy_with_small_rest_stays():
    desired = decide(with_part_bought("0.02930"), live={cell_slot(3)})
    assert (desired.state.cells[3].status, desired.wanted[3].quantity) == (EMPTY, Decimal("0.00005"))


def test_small_part_and_small_rest_are_carried():
    strategy = grid(replace(MARKET, min_notional=Decimal(1000)))  # q is worth 1761
    state = with_part_bought("0.015", strategy=strategy)
    desired = decide(state, strategy=strategy)
    part = Lot(3, Decimal("0.014985"), Decimal(900))
    assert desired.state.cells[3] == Cell(3, EMPTY, Q, cycle=1, lots=(part,))
    assert (desired.wanted[3], desired.state.cycles) == (buy_of(3, cycle=1), 0)  # nothing went round


def with_part_bought(quantity, strategy=GRID):
    """Return a started grid whose cell 3 has bought a part; its order is gone."""
    state = started(strategy)
    return strategy.apply(state, bought(state.cells[3], 60_000, quantity, completes=False)).state


def with_part_sold(quantity):
    """Return a started grid whose cell 4 has sold a part; its order is gone."""
    state = started(GRID)
    return GRID.apply(state, sold(state.cells[4], 68_000, quantity, completes=False)).state


def test_cancelled_sell_sells_its_rest():
    assert decide(with_part_sold("0.01")).wanted[4] == sell_of(4, "0.01935")


def test_rest_of_a_sell_is_no_more_than_the_pool():
    state = with_cell(with_part_sold("0.01"), 4, lots=(Lot(1, Decimal("0.000129"), Decimal(7)),))
    assert decide(state).wanted[4] == sell_of(4, "0.00012")


def test_surplus_does_not_swell_the_rest():
    state = with_part_sold("0.01")
    state = with_cell(state, 4, lots=(*state.cells[4].lots, Lot(9, Decimal(1), PRICE)))
    assert decide(state).wanted[4] == sell_of(4, "0.01935")


def test_small_rest_of_a_sell_is_carried():
    state = with_part_sold("0.02930")
    before = state.cells[4]
    desired = decide(state)
    assert desired.state.cells[4] == Cell(4, EMPTY, Q, cycle=1, lots=before.lots)
    assert (desired.state.cycles, desired.wanted[4]) == (1, buy_of(4, kind=LIMIT, cycle=1))


def test_live_sell_with_small_rest_stays():
    desired = decide(with_part_sold("0.02930"), live={cell_slot(4)})
    assert desired.wanted[4] == sell_of(4, "0.00005")


def test_sell_never_exceeds_the_cycle():
    state = with_cell(started(GRID), 4, lots=(Lot(1, Decimal(1), PRICE),))
    assert decide(state).wanted[4] == sell_of(4)


@pytest.mark.parametrize(("price", "status"), [("68000", WAITING), ("68000.01", EMPTY)])
def test_waiting_cell_empties_when_traded_through(price, status):
    strategy = grid(start=StartMode.CASH)
    state = decide(BotState(), strategy=strategy).state
    desired = decide(state, price, strategy=strategy)
    assert (desired.state.cells[4].status, desired.state.cycles) == (status, 0)
    assert (buy_of(4) in desired.wanted) is (status is EMPTY)


def test_order_that_price_has_passed_is_plain_limit():
    state = started(GRID)
    kinds = {want.slot.cell: want.type for want in decide(state, 52_000).wanted}
    assert kinds == {0: POST, 1: LIMIT, 2: LIMIT, 3: LIMIT, 4: POST, 5: POST}
    kinds = {want.slot.cell: want.type for want in decide(state, 68_000).wanted}
    assert kinds == {0: POST, 1: POST, 2: POST, 3: POST, 4: LIMIT, 5: POST}


# ---- parked ----------------------------------------------------------------------------------------------------------


def test_parked_cell_rests_until_resume():
    state = GRID.park(started(GRID), cell_slot(3))
    desired = decide(state)
    reason = "parked: its order was cancelled by somebody else; `resume` brings it back"
    assert (desired.wanted, desired.idle) == ((*BUYS[:3], sell_of(4), sell_of(5)), (Idle(3, reason),))
    assert decide(state, 71_000).state.cells[3].status is PARKED
    assert decide(GRID.resume(state)).wanted == (*BUYS, sell_of(4), sell_of(5))


def test_resumed_seller_sells_on():
    state = GRID.resume(GRID.park(with_part_sold("0.01"), cell_slot(4)))
    assert (state.cells[4].status, decide(state).wanted[4]) == (HELD, sell_of(4, "0.01935"))


def test_resumed_buyer_buys_its_rest():
    state = GRID.resume(GRID.park(with_part_bought("0.01"), cell_slot(3)))
    assert (state.cells[3].status, decide(state).wanted[3]) == (EMPTY, buy_of(3, "0.01935"))


def test_resume_leaves_others_alone():
    state = started(GRID)
    assert GRID.resume(state) == state


def test_replaced_cell_is_placed_again():
    strategy = grid(on_foreign_cancel=ForeignCancel.REPLACE)
    state = started(strategy)
    assert strategy.park(state, cell_slot(3)) == state


def test_start_and_exit_cannot_be_parked():
    state = started(GRID)
    assert (GRID.park(state, START), GRID.park(state, EXIT)) == (state, state)


# ---- carry -----------------------------------------------------------------------------------------------------------


def hundred_cycles(*, carries):
    """Return cash and stuck base in quote after 100 cycles of 10 USDT at a 1 % step, as docs/strategy.md tells it."""
    strategy = grid(
        lower=Decimal(62_000), upper=Decimal(63_240), num_grids=2, quantity=Decimal("0.00016"), investment=None,
        start=StartMode.CASH,
    )  # fmt: skip
    exchange = Exchange(strategy, 6_230_000, quote=Fraction(10_000))
    for _ in range(100):
        for price in (6_230_000, 6_199_999, 6_262_001):
            exchange.step(price)
            exchange.run_pass()
        if not carries:
            exchange.base -= Fraction(exchange.state.base)
            exchange.state = with_cell(exchange.state, 0, lots=())
    return exchange


def test_hundred_cycles_with_carry_earn():
    exchange = hundred_cycles(carries=True)
    cash, stuck = exchange.quote - 10_000, exchange.state.base * 62_000
    assert (round(float(cash), 2), round(stuck, 2)) == (7.67, Decimal("0.25"))
    assert (exchange.state.cycles, exchange.state.base) == (100, Decimal("0.000004"))
    assert exchange.profit().grid_profit == exchange.state.realised > 0


def test_carry_sells_a_lot_more_when_it_can():
    state = started(GRID)
    dust = Lot(9, Decimal("0.00001"), Decimal("0.6"))
    state = with_cell(state, 3, lots=(dust,))
    state = GRID.apply(state, bought(state.cells[3], 60_000, Q)).state
    assert decide(state).wanted[3].quantity == Decimal("0.02933")
