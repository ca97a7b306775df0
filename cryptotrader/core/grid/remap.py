"""A running bot's lots given to the cells of another grid: nothing is bought, sold or lost, only carried elsewhere.

The rule, exactly:

1. All lots of the bot stand in one queue, the cheapest first: by cost / base, compared as fractions; equal ones by age.
2. The cells from the gap of the new grid on (the first level at or above the price) are served from the lowest up.
   Each takes its whole quantity from the head of the queue and is HELD; the last one may get less, if that can be sold.
   So the cheapest base is sold at the lowest price: no other order of the queue loses less at any one level.
3. Cells that get nothing wait, those below the gap are EMPTY. No purchase follows from a change.
4. What is left in the queue is carried by the lowest held cell, behind its own lots (where no cell is held, by the cell
   at the gap, or by the highest). No cell sells it: a sell never exceeds the cell's quantity. Only an exit does.

Lots get new numbers, cell by cell, so that each cell sells its own before what it carries. Cycles go on
above every number used before: an order of the old grid can never be taken for one of the new.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import count

from cryptotrader.core.cells import BotState, Cell, CellStatus
from cryptotrader.core.grid.plan import GridPlan
from cryptotrader.core.lots import Lot, take, total_base


def remap(plan: GridPlan, state: BotState) -> BotState:
    """Return the state with the cells of `plan`, which is laid out at the price now."""
    cycle = 1 + max((cell.cycle for cell in state.cells), default=-1)
    queue = _cheapest_first((*state.start_lots, *(lot for cell in state.cells for lot in cell.lots)))
    cells = [
        Cell(index, CellStatus.EMPTY if index < plan.gap else CellStatus.WAITING, quantity, cycle=cycle)
        for index, quantity in enumerate(plan.quantities)
    ]
    for cell in cells[plan.gap :]:
        base = min(cell.quantity, total_base(queue))
        if not plan.market.is_sellable(plan.market.floor_quantity(base), plan.levels[cell.index + 1]):
            break
        lots, queue = take(queue, base)
        cells[cell.index] = replace(cell, status=CellStatus.HELD, bought=cell.quantity, lots=lots)
    home = min(plan.gap, len(cells) - 1)  # the lowest held cell, where there is one
    cells[home] = replace(cells[home], lots=(*cells[home].lots, *queue))
    return _numbered(replace(state, cells=tuple(cells), start_lots=()))


def _cheapest_first(lots: Iterable[Lot]) -> tuple[Lot, ...]:
    return tuple(sorted(lots, key=lambda lot: (Fraction(lot.cost_quote) / Fraction(lot.base), lot.seq)))


def _numbered(state: BotState) -> BotState:
    numbers = count(state.next_seq)
    cells = tuple(
        replace(cell, lots=tuple(replace(lot, seq=next(numbers)) for lot in cell.lots)) for cell in state.cells
    )
    return replace(state, cells=cells, next_seq=next(numbers))


def sale_losses(plan: GridPlan, state: BotState) -> Decimal:
    """Return the losses, in quote, that the sells of the held cells would realise at their own levels, as maker."""
    losses = Decimal(0)
    for cell in state.cells:
        if cell.status is not CellStatus.HELD:
            continue
        base = min(cell.quantity, plan.market.floor_quantity(cell.pool))
        sold, _ = take(cell.lots, base)
        proceeds = base * plan.levels[cell.index + 1] * (1 - plan.market.maker_fee)
        losses += max(Decimal(0), sum((lot.cost_quote for lot in sold), Decimal(0)) - proceeds)
    return losses
