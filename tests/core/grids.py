"""What the tests of the core build with: a market, a grid, facts, fills, and a grid that has started."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import settings

from cryptotrader.core.cells import BotState, Cell, CellStatus
from cryptotrader.core.grid.config import GridConfig
from cryptotrader.core.grid.strategy import Grid
from cryptotrader.core.market import FeeIn, Market, Side
from cryptotrader.core.orders import OrderType, Purpose
from cryptotrader.core.strategy import Desired, Facts, Fill, Slot, Wanted

START = Slot(Purpose.START, 0)
EXIT = Slot(Purpose.EXIT, 0)
THIRD_PRICE = Decimal(500)  # quote for one unit of the third asset

# docs/strategy.md: 6 cells of 4,000 USDT; at 60,500 the gap is 64,000 and the two upper cells hold 0.02935 BTC each
MARKET = Market("BTC/USDT", tick_size=Decimal("0.01"), lot_step=Decimal("0.00001"), min_notional=Decimal(5))
CONFIG = GridConfig("BTC/USDT", Decimal(48_000), Decimal(72_000), num_grids=6, investment=Decimal(10_000))
PRICE = Decimal(60_500)
Q = Decimal("0.02935")
LEVELS = tuple(Decimal(price) for price in range(48_000, 72_001, 4_000))


def bounded(examples: int) -> settings:
    """Return settings under which hypothesis tries the same bounded number of examples on every run."""
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None)


def cell_slot(index: int) -> Slot:
    """Return the slot of a cell's order."""
    return Slot(Purpose.CELL, index)


def facts(price: Decimal | int | str, *, live: set[Slot] | frozenset[Slot] = frozenset()) -> Facts:
    """Return facts with bid, ask and last at one price."""
    at = Decimal(price)
    return Facts(price=at, bid=at, ask=at, live=frozenset(live))


def fill(
    slot: Slot,
    side: Side,
    price: Decimal | int | str,
    quantity: Decimal | str,
    *,
    market: Market = MARKET,
    completes: bool = True,
    is_maker: bool = True,
    fee_in: FeeIn | None = None,
) -> Fill:
    """Return an execution with the fee that the market takes, or that `fee_in` says."""
    at, base = Decimal(price), Decimal(quantity)
    rate = market.maker_fee if is_maker else market.taker_fee
    fee_quote = at * base * rate
    match fee_in or market.fee_in:
        case FeeIn.THIRD:
            asset, fee = market.third_asset, fee_quote / THIRD_PRICE
        case FeeIn.BASE if side is Side.BUY:
            asset, fee = market.base, base * rate
        case _:
            asset, fee = market.quote, fee_quote
    return Fill(slot, side, at, base, asset, fee, fee_quote, completes)


def grid(market: Market = MARKET, **changes: Any) -> Grid:
    """Return the grid of docs/strategy.md with some settings changed."""
    return Grid(replace(CONFIG, **changes), market)


def started(strategy: Grid, price: Decimal | int | str = PRICE) -> BotState:
    """Return the state after the START order has filled at the price it was decided at."""
    first = strategy.desired(BotState(), facts(price))
    state = first.state
    for want in first.wanted:
        if want.slot == START:
            bought = fill(START, Side.BUY, want.price, want.quantity, market=strategy.market, is_maker=False)
            state = strategy.apply(state, bought).state
    return strategy.desired(state, facts(price)).state


def with_cell(state: BotState, index: int, **changes: Any) -> BotState:
    """Return the state with some fields of one cell changed."""
    return state.with_cell(replace(state.cells[index], **changes))


def bought(cell: Cell, price: Decimal | int, quantity: Decimal | str, *, completes: bool = True) -> Fill:
    """Return a maker buy of a cell."""
    return fill(cell_slot(cell.index), Side.BUY, price, quantity, completes=completes)


def sold(cell: Cell, price: Decimal | int, quantity: Decimal | str, *, completes: bool = True) -> Fill:
    """Return a maker sell of a cell."""
    return fill(cell_slot(cell.index), Side.SELL, price, quantity, completes=completes)


GRID = grid()


def buy_of(cell: int, quantity: Decimal | str = Q, *, kind: OrderType = OrderType.POST_ONLY, cycle: int = 0) -> Wanted:
    """Return the buy that an empty cell wants."""
    return Wanted(cell_slot(cell), Side.BUY, kind, LEVELS[cell], Decimal(quantity), "cell is empty", cycle)


def sell_of(cell: int, quantity: Decimal | str = Q, *, kind: OrderType = OrderType.POST_ONLY, cycle: int = 0) -> Wanted:
    """Return the sell that a cell with base wants."""
    return Wanted(cell_slot(cell), Side.SELL, kind, LEVELS[cell + 1], Decimal(quantity), "cell holds base", cycle)


BUYS = tuple(buy_of(cell) for cell in range(4))


def statuses(state: BotState) -> list[CellStatus]:
    """Return the status of each cell."""
    return [cell.status for cell in state.cells]


def decide(
    state: BotState,
    price: Decimal | int | str = PRICE,
    *,
    live: tuple[Slot, ...] | set[Slot] = (),
    strategy: Grid = GRID,
) -> Desired:
    """Decide, and check that deciding again with what came out changes nothing."""
    desired = strategy.desired(state, facts(price, live=set(live)))
    assert strategy.desired(desired.state, facts(price, live=set(live))) == desired
    return desired
