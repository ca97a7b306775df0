"""What a strategy is: a pure function from state and facts to desired orders, and from a fill to a new state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from cryptotrader.core.cells import BotState
from cryptotrader.core.market import Market, Side
from cryptotrader.core.orders import OrderType, Purpose


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of an order: one live order at most in each."""

    purpose: Purpose
    cell: int


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of one of our orders.

    Attributes:
        quantity: base executed. fee: in `fee_asset`. fee_quote: its value in quote.
        completes: whether the order is fully executed with it.
    """

    slot: Slot
    side: Side
    price: Decimal
    quantity: Decimal
    fee_asset: str
    fee: Decimal
    fee_quote: Decimal
    completes: bool

    @property
    def notional(self) -> Decimal:
        """Price x quantity, in quote."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Facts:
    """What the world looks like now.

    Attributes:
        price: last price; bid and ask beside it.
        live: slots whose last order is not proven ended, known or unknown to the venue.
    """

    price: Decimal
    bid: Decimal
    ask: Decimal
    live: frozenset[Slot] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order that should rest. `reason` is for people."""

    slot: Slot
    side: Side
    type: OrderType
    price: Decimal
    quantity: Decimal
    reason: str
    cycle: int = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """A cell that wants no order, and why."""

    cell: int
    reason: str


@dataclass(frozen=True, slots=True)
class Desired:
    """The decision: the state after what the price alone decides, the orders wanted, the cells without one."""

    state: BotState
    wanted: tuple[Wanted, ...]
    idle: tuple[Idle, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """The state after a fill, and the profit that the fill realised (0 for a buy), in quote."""

    state: BotState
    realised: Decimal


class Strategy(Protocol):
    """A way to trade one symbol. Found by name; holds configuration only; every method is pure."""

    @property
    def market(self) -> Market:
        """The symbol's rules."""
        ...

    def desired(self, state: BotState, facts: Facts) -> Desired:
        """Decide. Calling it again with the returned state and the same facts decides the same."""
        ...

    def apply(self, state: BotState, fill: Fill) -> Applied:
        """Return the state after one fill."""
        ...

    def park(self, state: BotState, slot: Slot) -> BotState:
        """Return the state after somebody else ended the order of a slot."""
        ...

    def resume(self, state: BotState) -> BotState:
        """Return the state with every parked cell back at work."""
        ...

    def watches(self, state: BotState) -> tuple[Decimal, ...]:
        """Return the prices at which a decision changes although nothing fills."""
        ...


# Builds a strategy from its configuration, as text by field name.
StrategyMaker = Callable[[Mapping[str, str], Market], Strategy]
