"""Orders and fills as values: what is wanted, what a venue shows, what was traded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from cryptotrader.core.market import Side


class Purpose(StrEnum):
    """Why an order exists. START and EXIT use cell 0 of their own series."""

    CELL = "cell"
    START = "start"
    EXIT = "exit"


class OrderType(StrEnum):
    """How an order may meet the book."""

    POST_ONLY = "post_only"  # rests, or is refused
    LIMIT = "limit"  # its own price or better, may take
    MARKET = "market"  # takes at once


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it is sent, to the last digit.

    Attributes:
        price: limit price in quote; for a market order the reference price it was decided at.
        quantity: in base.
        signed_at: the timestamp that is signed; the venue refuses it after `recv_window_ms`.
    """

    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    price: Decimal
    quantity: Decimal
    signed_at: datetime
    recv_window_ms: int = 5000


class VenueStatus(StrEnum):
    """The state of an order as the venue shows it."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue shows it. `filled_base` is cumulative."""

    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    price: Decimal
    quantity: Decimal
    filled_base: Decimal
    status: VenueStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """One execution as the venue reports it.

    Attributes:
        trade_id: increasing within (account, symbol).
        fee: amount in `fee_asset`, exactly as charged.
        fee_quote: the same in quote at the time of the trade (its stored price, for a third asset).
        at: market time.
    """

    trade_id: int
    venue_order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee_asset: str
    fee: Decimal
    fee_quote: Decimal
    is_maker: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """One asset of an account: what is free and what open orders lock."""

    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        """Free and locked together."""
        return self.free + self.locked


@dataclass(frozen=True, slots=True)
class Ticker:
    """Best bid, best ask and last price, with the market time they belong to."""

    bid: Decimal
    ask: Decimal
    last: Decimal
    at: datetime

    @property
    def mid(self) -> Decimal:
        """The middle of bid and ask: the live mark price. Equals `last` on the paper venue."""
        return (self.bid + self.ask) / 2
