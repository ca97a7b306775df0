"""The rows of the paper book as values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderType, VenueOrder, VenueStatus
from cryptotrader.runtime import from_ms
from cryptotrader.venue.paper.pace import Allowance
from cryptotrader.venue.paper.walk import Point


@dataclass(frozen=True, slots=True)
class FeedIdentity:
    """What must not change under a book: positions and ticks are read against it."""

    label: str
    timeframe_ms: int
    tick_size: Decimal
    first_ms: int


@dataclass(frozen=True, slots=True)
class MarketRow:
    """How far the market of a symbol has walked, and how far it may (None before the first advance)."""

    symbol: str
    feed: FeedIdentity
    point: Point
    allowance: Allowance | None


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in the book. `id` orders by age; `price_ticks` is 0 for a market order; `locked` is what it locks."""

    id: int
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    price: Decimal
    price_ticks: int
    quantity: Decimal
    filled: Decimal
    locked: Decimal
    status: VenueStatus
    created_ms: int

    @property
    def unfilled(self) -> Decimal:
        """What is left of it, in base."""
        return self.quantity - self.filled

    def shown(self) -> VenueOrder:
        """Return it as the venue shows it."""
        return VenueOrder(
            venue_order_id=str(self.id),
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            side=self.side,
            type=self.type,
            price=self.price,
            quantity=self.quantity,
            filled_base=self.filled,
            status=self.status,
            created_at=from_ms(self.created_ms),
        )
