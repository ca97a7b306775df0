"""The state of a bot as a value: cells, their lots, and the phase of the whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from cryptotrader.core.lots import Lot, total_base, total_cost


class CellStatus(StrEnum):
    """What a cell waits for.

    EMPTY: one resting BUY. HELD: one resting SELL. WAITING: it should hold base but has none: no order.
    PARKED: a person cancelled its order: none until `resume`.
    """

    EMPTY = "empty"
    HELD = "held"
    WAITING = "waiting"
    PARKED = "parked"


class Phase(StrEnum):
    """Where a bot stands in its life."""

    NEW = "new"  # has not started: waits for a trigger, or for the price to enter the range
    STARTING = "starting"  # buys its first inventory
    RUNNING = "running"
    EXITING = "exiting"  # a stop-loss or take-profit was reached: sells everything
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a bot.

    Attributes:
        quantity: base to buy in this cycle.
        cycle: round trips completed.
        bought, sold: base executed in this cycle so far, fees not deducted.
        lots: what it owns; their sum is the cell's pool.
    """

    index: int
    status: CellStatus
    quantity: Decimal
    cycle: int = 0
    bought: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    lots: tuple[Lot, ...] = ()

    @property
    def pool(self) -> Decimal:
        """The base that this cell owns, dust carried from earlier cycles included."""
        return total_base(self.lots)


@dataclass(frozen=True, slots=True)
class BotState:
    """All that a strategy needs to know of its bot's past.

    Attributes:
        first_price: the first price the bot ever saw: it tells from which side a trigger is approached.
        start_price: the price at which the bot started; None before.
        start_lots: base bought by the START order and not yet given to cells.
        next_seq: number of the next lot.
        realised: realised profit so far, in quote.
        entry_cost: quote value at entry of holdings that were assigned, not bought.
    """

    phase: Phase = Phase.NEW
    first_price: Decimal | None = None
    start_price: Decimal | None = None
    cells: tuple[Cell, ...] = ()
    start_lots: tuple[Lot, ...] = ()
    next_seq: int = 1
    realised: Decimal = Decimal(0)
    entry_cost: Decimal = Decimal(0)
    cycles: int = field(default=0)

    def with_cell(self, cell: Cell) -> BotState:
        """Return the state with one cell replaced."""
        return replace(self, cells=(*self.cells[: cell.index], cell, *self.cells[cell.index + 1 :]))

    @property
    def base(self) -> Decimal:
        """All base that the bot owns."""
        return total_base(self.start_lots) + sum((cell.pool for cell in self.cells), Decimal(0))

    @property
    def inventory_cost(self) -> Decimal:
        """What all base that the bot owns has cost, buy fees included."""
        return total_cost(self.start_lots) + sum((total_cost(cell.lots) for cell in self.cells), Decimal(0))
