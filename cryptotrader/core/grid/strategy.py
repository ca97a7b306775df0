"""The grid as a strategy: what each cell wants, and what a fill makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from cryptotrader.core.cells import BotState, Cell, CellStatus, Phase
from cryptotrader.core.grid import start
from cryptotrader.core.grid.config import ForeignCancel, GridConfig, Sizing, StartOutside, read_config
from cryptotrader.core.grid.plan import GridPlan, base_denominator, plan_grid
from cryptotrader.core.grid.remap import remap
from cryptotrader.core.lots import Lot, take, total_cost
from cryptotrader.core.market import Market, Side
from cryptotrader.core.orders import OrderType, Purpose
from cryptotrader.core.strategy import Applied, Desired, Facts, Fill, Idle, Slot, Wanted
from cryptotrader.errors import BooksDisagree, GridRefused

EXIT = Slot(Purpose.EXIT, 0)


@dataclass(frozen=True)
class Grid:
    """A spot grid with one configuration on one market. Levels and sizes follow from the start price alone."""

    config: GridConfig
    market: Market
    _plans: dict[Decimal, GridPlan] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_record(cls, record: Mapping[str, str], market: Market) -> Grid:
        """Build it from a database row's text."""
        return cls(read_config(record), market)

    def plan(self, price: Decimal) -> GridPlan:
        """Return the checked plan for a start at this price."""
        if price not in self._plans:
            self._plans[price] = plan_grid(self.config, self.market, price)
        return self._plans[price]

    # ---- decide ------------------------------------------------------------------------------------------------

    def desired(self, state: BotState, facts: Facts) -> Desired:
        """Decide what should rest now."""
        if state.phase is Phase.NEW:
            state = replace(state, first_price=state.first_price or facts.price)
            if reason := self._not_yet(state, facts.price):
                return Desired(state, (), (Idle(-1, reason),))
            try:
                state = start.begin(self.plan(facts.price), state)
            except GridRefused as refusal:  # the price has moved since the grid was accepted
                return Desired(state, (), (Idle(-1, f"cannot start at {facts.price}: {refusal}"),))
        if state.phase in (Phase.STARTING, Phase.RUNNING) and self._is_over(facts.price):
            state = replace(state, phase=Phase.EXITING)
        if state.phase in (Phase.EXITING, Phase.ENDED):
            return self._exit(state, facts)
        plan = self.plan(self._anchor(state) or facts.price)
        state = self._after_price(plan, state, facts)
        wanted = [want for cell in state.cells if (want := self._cell_order(plan, cell, facts))]
        if state.phase is Phase.STARTING and (first := start.order(plan, state, facts)):
            wanted.insert(0, first)
        return Desired(state, tuple(wanted), tuple(self._idle(plan, state, wanted)))

    def watches(self, state: BotState) -> tuple[Decimal, ...]:
        """Return trigger, stop, and the upper levels of waiting cells: where a decision changes without a fill."""
        config = self.config
        if state.phase is Phase.NEW:
            return tuple(p for p in (config.trigger_price, config.lower, config.upper) if p is not None)
        if state.phase not in (Phase.STARTING, Phase.RUNNING):
            return ()
        levels = self.plan(self._anchor(state) or config.lower).levels
        ends = (p for p in (config.stop_loss_price, config.take_profit_price) if p is not None)
        return (*ends, *(levels[c.index + 1] for c in state.cells if c.status is CellStatus.WAITING))

    def _anchor(self, state: BotState) -> Decimal | None:
        """Return the price at which the cells were sized; None before the start."""
        return self.config.laid_out_at or state.start_price

    def _not_yet(self, state: BotState, price: Decimal) -> str | None:
        config = self.config
        trigger, first = config.trigger_price, state.first_price or price
        if trigger is not None and not (price > trigger if first <= trigger else price < trigger):
            return f"waits for the price to trade through the trigger {trigger}"
        outside = not config.lower <= price <= config.upper
        if outside and config.start_outside is StartOutside.WAIT:
            return f"waits for the price to enter the range {config.lower} .. {config.upper}"
        return None

    def _is_over(self, price: Decimal) -> bool:
        stop, target = self.config.stop_loss_price, self.config.take_profit_price
        return (stop is not None and price < stop) or (target is not None and price > target)

    def _after_price(self, plan: GridPlan, state: BotState, facts: Facts) -> BotState:
        """Make the moves that need no fill: waiting cells passed by the price, rests too small for an order."""
        for cell in state.cells:
            moved = self._settled(plan, state, cell, facts)
            if moved is not cell:
                done = moved.cycle > cell.cycle and cell.sold > 0  # a cell that never sold has not gone round
                state = replace(state.with_cell(moved), cycles=state.cycles + done)
        if state.phase is Phase.STARTING and Slot(Purpose.START, 0) not in facts.live:
            return start.settle(plan, state, facts)
        return state

    def _settled(self, plan: GridPlan, state: BotState, cell: Cell, facts: Facts) -> Cell:
        low, high = plan.levels[cell.index], plan.levels[cell.index + 1]
        if cell.status is CellStatus.WAITING and facts.price > high:
            cell = replace(cell, status=CellStatus.EMPTY)
        if Slot(Purpose.CELL, cell.index) in facts.live:
            return cell
        if cell.status is CellStatus.EMPTY and cell.bought > 0:
            if self.market.is_sellable(cell.quantity - cell.bought, low):
                return cell
            cell = replace(cell, status=CellStatus.HELD)
        if cell.status is CellStatus.HELD and not self.market.is_sellable(self._sell_quantity(cell), high):
            cell = _emptied(cell)  # what cannot be sold is carried to the next cycle
        if cell.status is CellStatus.EMPTY:
            quantity = self._quantity(plan, state, cell)
            return cell if quantity == cell.quantity else replace(cell, quantity=quantity)
        return cell

    def _quantity(self, plan: GridPlan, state: BotState, cell: Cell) -> Decimal:
        """Return the base to buy in a new cycle: the plan's, or grown with realised profit."""
        planned = plan.quantities[cell.index]
        if not self.config.compound or self.config.quantity is not None or state.realised <= 0:
            return planned
        usable = (plan.investment + state.realised) * (1 - self.config.reserve)
        if self.config.sizing is Sizing.QUOTE:
            grown = usable / self.config.num_grids / plan.levels[cell.index]
        else:
            grown = usable / base_denominator(self.config, self.market, plan.price, plan.levels, plan.gap)
        return max(planned, self.market.floor_quantity(grown))

    def _sell_quantity(self, cell: Cell) -> Decimal:
        return min(cell.quantity - cell.sold, self.market.floor_quantity(cell.pool))

    def _cell_order(self, plan: GridPlan, cell: Cell, facts: Facts) -> Wanted | None:
        slot = Slot(Purpose.CELL, cell.index)
        low, high = plan.levels[cell.index], plan.levels[cell.index + 1]
        if cell.status is CellStatus.EMPTY:
            kind = OrderType.POST_ONLY if low < facts.ask else OrderType.LIMIT
            quantity = cell.quantity - cell.bought
            return Wanted(slot, Side.BUY, kind, low, quantity, "cell is empty", cell.cycle)
        if cell.status is CellStatus.HELD:
            kind = OrderType.POST_ONLY if high > facts.bid else OrderType.LIMIT
            return Wanted(slot, Side.SELL, kind, high, self._sell_quantity(cell), "cell holds base", cell.cycle)
        return None

    def _idle(self, plan: GridPlan, state: BotState, wanted: list[Wanted]) -> Iterator[Idle]:
        busy = {want.slot.cell for want in wanted if want.slot.purpose is Purpose.CELL}
        for cell in state.cells:
            if cell.index in busy:
                continue
            if cell.status is CellStatus.PARKED:
                yield Idle(cell.index, "parked: its order was cancelled by somebody else; `resume` brings it back")
            elif state.phase is Phase.STARTING:
                yield Idle(cell.index, "waits for the start order to bring its base")
            else:
                yield Idle(
                    cell.index, f"has no base to sell: empty once price trades through {plan.levels[cell.index + 1]}"
                )

    def _exit(self, state: BotState, facts: Facts) -> Desired:
        quantity = self.market.floor_quantity(state.base)
        done = not self.market.is_sellable(quantity, facts.bid)
        if state.phase is Phase.ENDED or (done and not facts.live):
            return Desired(replace(state, phase=Phase.ENDED), (), (Idle(-1, "the bot has ended"),))
        if facts.live - {EXIT}:
            return Desired(state, (), (Idle(-1, "exits: first its orders are cancelled"),))
        return Desired(state, (Wanted(EXIT, Side.SELL, OrderType.MARKET, facts.bid, quantity, "exit"),))

    # ---- apply -------------------------------------------------------------------------------------------------

    def apply(self, state: BotState, fill: Fill) -> Applied:
        """Return the state after a fill: lots moved, profit realised, cell advanced."""
        if fill.side is Side.BUY:
            return Applied(self._bought(state, fill), Decimal(0))
        proceeds = fill.notional - (Decimal(0) if fill.fee_asset == self.market.base else fill.fee_quote)
        base = fill.quantity + (fill.fee if fill.fee_asset == self.market.base else Decimal(0))
        if fill.slot.purpose is Purpose.EXIT:
            state, cost = _taken_from_all(state, base)
        else:
            cell = state.cells[fill.slot.cell]
            taken, rest = take(cell.lots, base)
            cost = total_cost(taken)
            sold = replace(cell, lots=rest, sold=cell.sold + fill.quantity)
            state = state.with_cell(_emptied(sold) if fill.completes else sold)
            state = replace(state, cycles=state.cycles + fill.completes)
        realised = proceeds - cost
        return Applied(replace(state, realised=state.realised + realised), realised)

    def _bought(self, state: BotState, fill: Fill) -> BotState:
        in_base = fill.fee_asset == self.market.base
        base = fill.quantity - (fill.fee if in_base else Decimal(0))
        lot = Lot(state.next_seq, base, fill.notional + (Decimal(0) if in_base else fill.fee_quote))
        state = replace(state, next_seq=state.next_seq + 1)
        if fill.slot.purpose is Purpose.START:
            return replace(state, start_lots=(*state.start_lots, lot))
        cell = state.cells[fill.slot.cell]
        status = CellStatus.HELD if fill.completes else cell.status
        bought = cell.bought + fill.quantity
        return state.with_cell(replace(cell, status=status, bought=bought, lots=(*cell.lots, lot)))

    def park(self, state: BotState, slot: Slot) -> BotState:
        """Park the cell whose order somebody else ended, or leave it to be placed again, as configured."""
        if slot.purpose is not Purpose.CELL or self.config.on_foreign_cancel is ForeignCancel.REPLACE:
            return state
        return state.with_cell(replace(state.cells[slot.cell], status=CellStatus.PARKED))

    def resume(self, state: BotState) -> BotState:
        """Bring parked cells back: those that had bought all they wanted hold, the others buy on."""
        for cell in state.cells:
            if cell.status is CellStatus.PARKED:
                held = cell.sold > 0 or cell.bought >= cell.quantity
                state = state.with_cell(replace(cell, status=CellStatus.HELD if held else CellStatus.EMPTY))
        return state

    def take_over(self, state: BotState) -> BotState:
        """Map a running bot's lots to the cells of this grid, laid out at `laid_out_at`; see `remap`."""
        return remap(self.plan(self._anchor(state) or self.config.lower), state)


def _emptied(cell: Cell) -> Cell:
    zero = Decimal(0)
    return replace(cell, status=CellStatus.EMPTY, cycle=cell.cycle + 1, bought=zero, sold=zero)


def _taken_from_all(state: BotState, base: Decimal) -> tuple[BotState, Decimal]:
    """Take base from the unassigned lots first, then from the cells, lowest first; return the cost of it."""
    cost = Decimal(0)
    part, start_lots = take(state.start_lots, min(base, sum((lot.base for lot in state.start_lots), Decimal(0))))
    cost, base = total_cost(part), base - sum((lot.base for lot in part), Decimal(0))
    state = replace(state, start_lots=start_lots)
    for cell in state.cells:
        part, rest = take(cell.lots, min(base, cell.pool))
        cost, base = cost + total_cost(part), base - (cell.pool - sum((lot.base for lot in rest), Decimal(0)))
        state = state.with_cell(replace(cell, lots=rest))
    if base > 0:
        raise BooksDisagree(f"the exit sold {base} more base than the bot owns")
    return state, cost
