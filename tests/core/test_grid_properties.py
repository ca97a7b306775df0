"""What holds for every grid on every walk of the price: books, capital, orders, and the one integer behind it all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from cryptotrader.core.cells import CellStatus, Phase
from cryptotrader.core.grid.config import ForeignCancel, GridConfig, Sizing, Spacing, StartMode, StartOutside
from cryptotrader.core.grid.plan import min_investment, plan_grid
from cryptotrader.core.grid.strategy import Grid
from cryptotrader.core.market import FeeIn, Market, Side
from cryptotrader.errors import GridRefused
from tests.core.exchange import CALM, Exchange, Troubles
from tests.core.grids import bounded

ROUGH = Troubles(partial=40, unknown=15, refused=10, cancelled=10, fee_switch=30)
SYMBOL = "BTC/USDT"


@dataclass(frozen=True)
class Case:
    """A grid, the price it starts at in ticks, and the prices that follow."""

    strategy: Grid
    price: int
    walk: tuple[int, ...]
    seed: int

    def exchange(self, troubles: Troubles = CALM) -> Exchange:
        """Open an exchange with what the grid may use."""
        config = self.strategy.config
        return Exchange(
            self.strategy, self.price, quote=Fraction(config.investment), base=Fraction(config.holdings),
            troubles=troubles, chance=Random(self.seed),
        )  # fmt: skip


@st.composite
def cases(draw, *, starts=tuple(StartMode), inside=False, rich=False):
    lower, step, grids = draw(st.integers(500, 3000)), draw(st.integers(25, 90)), draw(st.integers(2, 7))
    upper = lower + step * grids + draw(st.integers(0, grids - 1))
    margin = 0 if inside else step
    market = Market(
        SYMBOL, tick_size=Decimal("0.1"), lot_step=Decimal("0.001"), min_notional=Decimal(5),
        maker_fee=draw(st.sampled_from([Decimal("0.001"), Decimal("0.00075"), Decimal(0)])),
        taker_fee=draw(st.sampled_from([Decimal("0.001"), Decimal("0.002")])), fee_in=draw(st.sampled_from(FeeIn)),
    )  # fmt: skip
    price = draw(st.integers(lower - margin, upper + margin))
    config = GridConfig(
        SYMBOL, market.price(lower), market.price(upper), grids, Decimal(1),
        spacing=draw(st.sampled_from(Spacing)), sizing=draw(st.sampled_from(Sizing)),
        start=draw(st.sampled_from(starts)), start_outside=StartOutside.START,
        compound=draw(st.booleans()) and not rich,
        on_foreign_cancel=draw(st.sampled_from(ForeignCancel)),
    )  # fmt: skip
    least = min_investment(config, market, market.price(price))
    assume(least is not None)
    factor = draw(st.sampled_from([Decimal(1), Decimal("1.3"), Decimal(3), Decimal(50)] if not rich else [Decimal(50)]))
    config = replace(config, investment=(least * factor).quantize(Decimal("0.01"), rounding="ROUND_CEILING"))
    try:
        plan = plan_grid(config, market, market.price(price))
    except GridRefused:
        assume(False)
    if config.start is StartMode.EXISTING:
        share = draw(st.sampled_from([0, 1, 2, 5]))
        config = replace(config, holdings=sum(plan.quantities, Decimal(0)) * share / 4)
    strides = draw(st.lists(st.integers(-2 * step, 2 * step).filter(bool), min_size=5, max_size=40))
    walk, at = [], price
    for stride in strides:
        at = max(lower - 2 * step, min(upper + 2 * step, at + stride))
        walk.append(at)
    return Case(Grid(config, market), price, tuple(walk), draw(st.integers(0, 2**16)))


def run_calmly(case):
    """Walk with a pass after each stride; every pass is followed by a second one that has nothing to do."""
    exchange = case.exchange()
    exchange.run_pass()
    for price in case.walk:
        exchange.step(price)
        exchange.run_pass()
        yield exchange


@given(cases())
@bounded(120)
def test_second_pass_plans_nothing(case):
    for exchange in run_calmly(case):
        desired, plan = exchange.decide()
        assert (desired.state, plan.cancel, plan.place) == (exchange.state, (), ())


@given(cases())
@bounded(120)
def test_total_is_grid_plus_inventory(case):
    for exchange in run_calmly(case):
        profit = exchange.profit()  # raises unless balances and lots agree to the last digit
        assert profit.total_pnl == profit.grid_profit + profit.inventory_pnl
        assert Fraction(profit.equity) == exchange.quote + exchange.base * Fraction(exchange.last)


@given(cases(starts=(StartMode.MARKET,), inside=True, rich=True))
@bounded(200)
def test_one_integer_is_the_whole_grid(case):
    plan = case.strategy.plan(case.strategy.market.price(case.price))
    assume(min(plan.quantities) >= 200 * case.strategy.market.lot_step)  # then the reserve covers dust and rounding
    for exchange in run_calmly(case):
        statuses = [cell.status for cell in exchange.state.cells]
        gap = statuses.count(CellStatus.EMPTY)
        assert statuses == [CellStatus.EMPTY] * gap + [CellStatus.HELD] * (len(statuses) - gap)
        levels = exchange.strategy.plan(exchange.state.start_price).levels
        orders = sorted((order.price, order.side) for order in exchange.live.values())
        assert orders == [(p, Side.BUY) for p in levels[:gap]] + [(p, Side.SELL) for p in levels[gap + 1 :]]
        around = (*levels[max(gap - 1, 0) : gap], exchange.last, *levels[gap + 1 : gap + 2])
        assert list(around) == sorted(around)  # no buy above the price, no sell below it


@given(cases(), st.data())
@bounded(250)
def test_books_survive_every_trouble(case, data):
    exchange = case.exchange(ROUGH)
    exchange.run_pass()
    for price in case.walk:
        exchange.step(price)
        if exchange.chance.random() < 0.7:
            exchange.run_pass()
        if exchange.chance.random() < 0.1:
            exchange.state = case.strategy.resume(exchange.state)
    exchange.profit()


@given(cases())
@bounded(100)
def test_exit_after_troubles_sells_all(case):
    lowest = min(case.walk)
    stop = case.strategy.market.price(lowest + 1)
    strategy = Grid(replace(case.strategy.config, stop_loss_price=stop), case.strategy.market)
    assume(case.price > lowest)
    exchange = replace(case, strategy=strategy).exchange(ROUGH)
    exchange.run_pass()
    for price in case.walk:
        exchange.step(price)
        exchange.run_pass()
        if exchange.state.phase in (Phase.EXITING, Phase.ENDED):
            break
    exchange.troubles = CALM
    exchange.run_pass()
    exchange.run_pass()
    left = strategy.market.floor_quantity(exchange.state.base)
    assert (exchange.state.phase, exchange.live) == (Phase.ENDED, {})
    assert not strategy.market.is_sellable(left, exchange.last)
    exchange.profit()
