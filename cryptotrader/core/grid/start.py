"""The start of a grid: which cells begin how, the first purchase, and how it is shared out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from cryptotrader.core.cells import BotState, Cell, CellStatus, Phase
from cryptotrader.core.grid.config import StartMode
from cryptotrader.core.grid.plan import GridPlan, start_quantity
from cryptotrader.core.lots import Lot, take, total_base, total_cost
from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderType, Purpose
from cryptotrader.core.strategy import Facts, Slot, Wanted

START = Slot(Purpose.START, 0)


def begin(plan: GridPlan, state: BotState) -> BotState:
    """Lay the cells out at the start price; holdings that were assigned enter at it as their cost."""
    cells = tuple(
        Cell(i, CellStatus.EMPTY if i < plan.gap else CellStatus.WAITING, quantity)
        for i, quantity in enumerate(plan.quantities)
    )
    buys = plan.start_quantity > 0 and plan.gap < len(cells)
    state = replace(state, start_price=plan.price, cells=cells, phase=Phase.STARTING if buys else Phase.RUNNING)
    holdings = plan.config.holdings
    if plan.config.start is StartMode.EXISTING and holdings > 0:
        lot = Lot(state.next_seq, holdings, holdings * plan.price)
        state = replace(state, start_lots=(lot,), next_seq=lot.seq + 1, entry_cost=lot.cost_quote)
        return share_out(plan, state)
    return state


def order(plan: GridPlan, state: BotState, facts: Facts) -> Wanted | None:
    """Return the START order for what the waiting cells still lack; None when too little is lacking for an order.

    At the start price with a limit, else at what the market asks now: a late purchase must not cost more than is free.
    """
    lacking = _waiting_quantity(state) - total_base(state.start_lots)
    if lacking <= 0:
        return None
    quantity = start_quantity(plan.market, lacking)
    is_limit = plan.config.start is StartMode.LIMIT
    price = plan.market.floor_price(plan.price) if is_limit else facts.ask
    if not plan.market.is_sellable(quantity, price):
        return None
    return Wanted(START, Side.BUY, OrderType.LIMIT if is_limit else OrderType.MARKET, price, quantity, "start")


def settle(plan: GridPlan, state: BotState, facts: Facts) -> BotState:
    """Share the purchase out once nothing is left to buy; called while no START order is live."""
    if order(plan, state, facts) is not None:
        return state
    return replace(share_out(plan, state), phase=Phase.RUNNING)


def share_out(plan: GridPlan, state: BotState) -> BotState:
    """Give each waiting cell its quantity, from the lowest up, and the lowest of them what is left over.

    A purchase that came short by a fee leaves its last cell a little less; holdings fill whole cells only.
    """
    whole_only = plan.config.start is StartMode.EXISTING
    waiting = [cell for cell in state.cells if cell.status is CellStatus.WAITING]
    left = _pooled(state.start_lots)
    for cell in waiting:
        base = min(cell.quantity, total_base(left))
        sells = plan.market.is_sellable(plan.market.floor_quantity(base), plan.levels[cell.index + 1])
        if not sells or (whole_only and base < cell.quantity):
            break
        part, left = take(left, base)
        held = replace(cell, status=CellStatus.HELD, bought=cell.quantity, lots=(*cell.lots, *part))
        state = state.with_cell(held)
    if left:  # rounding up to the lot, or holdings that fill no further cell
        home = state.cells[waiting[0].index if waiting else min(plan.gap, len(state.cells) - 1)]
        rest = replace(left[0], seq=state.next_seq)  # a lot of its own: (cell, seq) names a lot
        state = replace(state.with_cell(replace(home, lots=(*home.lots, rest))), next_seq=rest.seq + 1)
    return replace(state, start_lots=())


def _waiting_quantity(state: BotState) -> Decimal:
    return sum((cell.quantity for cell in state.cells if cell.status is CellStatus.WAITING), Decimal(0))


def _pooled(lots: tuple[Lot, ...]) -> tuple[Lot, ...]:
    """Make one lot of several, so that every cell gets the average cost and none is luckier than another."""
    return (Lot(lots[0].seq, total_base(lots), total_cost(lots)),) if lots else ()
