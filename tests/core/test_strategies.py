"""Strategies by name, and a second one: dollar-cost averaging, on the same values as the grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.cells import BotState, Cell, CellStatus, Phase
from cryptotrader.core.grid.strategy import Grid
from cryptotrader.core.lots import Lot, take, total_cost
from cryptotrader.core.market import Market, Side
from cryptotrader.core.orders import OrderType
from cryptotrader.core.strategies import STRATEGIES, find_strategy
from cryptotrader.core.strategy import Applied, Desired, Facts, Fill, Idle, Slot, Wanted
from cryptotrader.errors import InputRefused
from tests.core.exchange import CALM, Exchange, Troubles
from tests.core.grids import CONFIG, MARKET, bounded, cell_slot, facts, fill

EMPTY, HELD = CellStatus.EMPTY, CellStatus.HELD


@dataclass(frozen=True)
class Dca:
    """Buy `quantity` every `drop` below the first price, `orders` times; sell all at average cost plus `gain`.

    Cells 0 .. orders - 1 are the buys; cell `orders` owns what they bought and holds the one sell.
    """

    market: Market
    quantity: Decimal
    orders: int
    drop: Decimal
    gain: Decimal

    @classmethod
    def from_record(cls, record: Mapping[str, str], market: Market) -> Dca:
        numbers = {name: Decimal(record[name]) for name in ("quantity", "drop", "gain")}
        return cls(market, orders=int(record["orders"]), **numbers)

    def desired(self, state: BotState, facts: Facts) -> Desired:
        if state.phase is Phase.NEW:
            cells = tuple(Cell(i, EMPTY, self.quantity) for i in range(self.orders + 1))
            state = replace(state, phase=Phase.RUNNING, first_price=facts.price, start_price=facts.price, cells=cells)
        buys = [self._buy(state, cell, facts) for cell in state.cells[:-1] if cell.status is EMPTY]
        sell = self._sell(state)
        sells = [sell] if self.market.is_sellable(sell.quantity, sell.price) else []
        return Desired(state, (*sells, *buys[:1]), tuple(Idle(want.slot.cell, "later") for want in buys[1:]))

    def _buy(self, state: BotState, cell: Cell, facts: Facts) -> Wanted:
        price = self.market.floor_price(state.start_price * (1 - self.drop) ** cell.index)
        kind = OrderType.POST_ONLY if price < facts.ask else OrderType.LIMIT
        slot, quantity = cell_slot(cell.index), cell.quantity - cell.bought
        return Wanted(slot, Side.BUY, kind, price, quantity, f"buy {cell.index + 1}", cell.cycle)

    def _sell(self, state: BotState) -> Wanted:
        owner = state.cells[-1]
        average = total_cost(owner.lots) / owner.pool if owner.pool else Decimal(1)
        price, quantity = self.market.ceil_price(average * (1 + self.gain)), self.market.floor_quantity(owner.pool)
        return Wanted(
            cell_slot(owner.index), Side.SELL, OrderType.LIMIT, price, quantity, "average plus gain", owner.cycle
        )

    def apply(self, state: BotState, fill: Fill) -> Applied:
        owner, cell = state.cells[-1], state.cells[fill.slot.cell]
        in_base = fill.fee_asset == self.market.base
        if fill.side is Side.BUY:
            cost = fill.notional + (0 if in_base else fill.fee_quote)
            lot = Lot(state.next_seq, fill.quantity - (fill.fee if in_base else 0), cost)
            cell = replace(cell, status=HELD if fill.completes else EMPTY, bought=cell.bought + fill.quantity)
            owner = replace(owner, lots=(*owner.lots, lot), bought=owner.bought + fill.quantity)
            state = state.with_cell(cell).with_cell(owner)
            return Applied(replace(state, next_seq=lot.seq + 1), Decimal(0))
        taken, rest = take(owner.lots, fill.quantity)
        realised = fill.notional - fill.fee_quote - total_cost(taken)
        state = replace(state.with_cell(replace(owner, lots=rest)), realised=state.realised + realised)
        return Applied(self._next_round(state, fill.price) if fill.completes else state, realised)

    def _next_round(self, state: BotState, price: Decimal) -> BotState:
        zero = Decimal(0)
        cells = tuple(replace(c, status=EMPTY, cycle=c.cycle + 1, bought=zero, sold=zero) for c in state.cells)
        return replace(state, cells=cells, cycles=state.cycles + 1, start_price=price)

    def park(self, state: BotState, slot: Slot) -> BotState:
        return state

    def resume(self, state: BotState) -> BotState:
        return state

    def watches(self, state: BotState) -> tuple[Decimal, ...]:
        return ()


RECORD = {"quantity": "0.01", "orders": "4", "drop": "0.02", "gain": "0.01"}


@pytest.fixture
def dca(monkeypatch):
    monkeypatch.setitem(STRATEGIES, "dca", Dca.from_record)
    return find_strategy("dca", RECORD, MARKET)


def test_grid_is_found_by_name():
    assert find_strategy("grid", CONFIG.record(), MARKET) == Grid(CONFIG, MARKET)


def test_unknown_strategy_names_the_known(dca):
    with pytest.raises(InputRefused) as refused:
        find_strategy("moon", {}, MARKET)
    assert (refused.value.field, refused.value.value, str(refused.value)) == (
        "strategy", "moon", "There is no strategy 'moon'. Known: dca, grid.",
    )  # fmt: skip


def test_second_strategy_is_found_by_name(dca):
    assert dca == Dca(MARKET, Decimal("0.01"), 4, Decimal("0.02"), Decimal("0.01"))


def test_dca_wants_one_buy_and_one_sell(dca):
    state = dca.desired(BotState(), facts(60_000)).state
    state = dca.apply(state, fill(cell_slot(0), Side.BUY, 60_000, "0.01")).state
    assert dca.desired(state, facts(60_000)).wanted == (
        Wanted(cell_slot(4), Side.SELL, OrderType.LIMIT, Decimal("60660.67"), Decimal("0.00999"), "average plus gain"),
        Wanted(cell_slot(1), Side.BUY, OrderType.POST_ONLY, Decimal(58_800), Decimal("0.01"), "buy 2"),
    )


def test_dca_averages_down_and_sells_at_once(dca):
    exchange = Exchange(dca, 6_000_000, quote=Fraction(10_000))
    exchange.run_pass()
    for price in (5_999_999, 5_870_000, 5_750_000, 5_800_000, 5_950_000, 6_000_000):
        exchange.step(price)
        exchange.run_pass()
    assert (exchange.state.cycles, exchange.fills) == (1, 4)
    profit = exchange.profit()
    assert profit.total_pnl == profit.grid_profit + profit.inventory_pnl > 0


STRIDES = st.lists(st.integers(-200_000, 200_000), min_size=5, max_size=50)


@given(STRIDES, st.integers(0, 2**16), st.sampled_from([CALM, Troubles(partial=40, unknown=15, refused=10)]))
@bounded(60)
def test_dca_keeps_books_on_every_walk(strides, seed, troubles):
    exchange = Exchange(
        Dca.from_record(RECORD, MARKET), 6_000_000, quote=Fraction(10_000), troubles=troubles, chance=Random(seed)
    )
    exchange.run_pass()
    for stride in strides:
        exchange.step(max(1_000_000, exchange.price + stride))
        exchange.run_pass()
        if troubles is CALM:
            desired, plan = exchange.decide()
            assert (desired.state, plan.is_quiet) == (exchange.state, True)
    exchange.profit()
