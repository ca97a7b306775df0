"""Lots given to the cells of another grid: none is lost, the cheapest is sold lowest, and every number is new."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.cells import BotState, Cell, CellStatus, Phase
from cryptotrader.core.grid.config import GridConfig, Sizing
from cryptotrader.core.grid.plan import GridPlan, plan_grid
from cryptotrader.core.grid.remap import remap, sale_losses
from cryptotrader.core.grid.strategy import Grid
from cryptotrader.core.lots import Lot
from cryptotrader.core.market import Market
from tests.core.grids import bounded

MARKET = Market("BTC/USDT", Decimal(1), Decimal("0.001"), Decimal("0.5"))


def config(**changes: object) -> GridConfig:
    return replace(GridConfig("BTC/USDT", Decimal(900), Decimal(1200), 6, Decimal(1000)), **changes)  # type: ignore[arg-type]


def plan(price: int, **changes: object) -> GridPlan:
    return plan_grid(config(**changes), MARKET, Decimal(price))


def state(*lots: tuple[str, str]) -> BotState:
    """Return a running bot of three cells; its lots lie in the middle one, numbered from 7."""
    held = tuple(Lot(7 + i, Decimal(base), Decimal(cost)) for i, (base, cost) in enumerate(lots))
    cells = (Cell(0, CellStatus.EMPTY, Decimal(1), cycle=4), Cell(1, CellStatus.HELD, Decimal(1), lots=held),
             Cell(2, CellStatus.PARKED, Decimal(1), cycle=9))  # fmt: skip
    return BotState(Phase.RUNNING, cells=cells, next_seq=7 + len(lots), realised=Decimal(5), cycles=13)


def test_the_cheapest_base_is_sold_lowest() -> None:
    before = state(("0.1", "130"), ("0.1", "90"), ("0.3", "300"))
    after = remap(plan(1040, quantity=Decimal("0.15")), before)
    assert [cell.status.value for cell in after.cells] == ["empty"] * 3 + ["held"] * 3
    assert [[(lot.seq, lot.base, lot.cost_quote) for lot in cell.lots] for cell in after.cells[3:]] == [
        [(10, Decimal("0.1"), 90), (11, Decimal("0.05"), 50), (12, Decimal("0.05"), 65)],  # the last is carried
        [(13, Decimal("0.15"), 150)],
        [(14, Decimal("0.10"), 100), (15, Decimal("0.05"), 65)],
    ]
    assert {cell.cycle for cell in after.cells} == {10}
    assert (after.realised, after.cycles, after.next_seq) == (before.realised, 13, 16)


def test_the_last_cell_gets_what_can_be_sold() -> None:
    after = remap(plan(1040, quantity=Decimal("0.15")), state(("0.20", "200")))
    assert [cell.status.value for cell in after.cells[3:]] == ["held", "held", "waiting"]
    assert [cell.pool for cell in after.cells[3:]] == [Decimal("0.15"), Decimal("0.05"), 0]
    dust = remap(plan(1040, quantity=Decimal("0.15")), state(("0.1504", "150")))
    assert [cell.pool for cell in dust.cells[3:]] == [Decimal("0.1504"), 0, 0]


def test_without_a_held_cell_the_gap_or_the_highest_carries() -> None:
    dust = remap(plan(1040), state(("0.0001", "1")))
    assert [cell.index for cell in dust.cells if cell.lots] == [3]
    assert dust.cells[3].status is CellStatus.WAITING
    above = remap(plan(1250), state(("0.3", "300")))
    assert [cell.index for cell in above.cells if cell.lots] == [5]
    assert sale_losses(plan(1250), above) == 0


def test_losses_are_those_of_the_sells_alone() -> None:
    grid = plan(1040, quantity=Decimal("0.15"))
    after = remap(grid, state(("0.15", "200"), ("0.15", "100"), ("0.2", "400")))
    dear = Decimal(200) - Decimal("0.15") * 1150 * Decimal("0.999")
    dearest = Decimal(300) - Decimal("0.15") * 1200 * Decimal("0.999")
    assert sale_losses(grid, after) == dear + dearest


def test_a_grid_takes_over_at_the_price_it_was_laid_out_at() -> None:
    grid = Grid(config(laid_out_at=Decimal(1100)), MARKET)
    before = replace(state(("0.3", "300")), start_price=Decimal(950))
    assert grid.take_over(before) == remap(plan(1100), before)


lots = st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**9)), max_size=12)


@bounded(200)
@given(lots, st.integers(850, 1250), st.integers(2, 20), st.sampled_from(Sizing))
def test_nothing_is_lost_and_everything_is_numbered(
    held: list[tuple[int, int]], price: int, grids: int, sizing: Sizing
) -> None:
    before = state(*((str(Decimal(base).scaleb(-6)), str(Decimal(cost).scaleb(-6))) for base, cost in held))
    after = remap(plan(price, num_grids=grids, sizing=sizing), before)
    assert (after.base, after.inventory_cost) == (before.base, before.inventory_cost)
    numbers = [lot.seq for cell in after.cells for lot in cell.lots]
    assert numbers == list(range(before.next_seq, after.next_seq))
    statuses = [cell.status.value for cell in after.cells]
    assert statuses == sorted(statuses, key=["empty", "held", "waiting"].index)
    served = [lot for cell in after.cells if cell.status is CellStatus.HELD for lot in _first(cell)]
    prices = [Fraction(lot.cost_quote) / Fraction(lot.base) for lot in served if lot.base >= Decimal("0.001")]
    assert all(one <= other + Fraction(1, 10**6) for one, other in pairwise(prices))


def _first(cell: Cell) -> list[Lot]:
    """Return the lots that a held cell sells, without what it carries."""
    taken, base = [], Decimal(0)
    for lot in cell.lots:
        if base >= cell.quantity:
            break
        taken.append(lot)
        base += lot.base
    return taken
