"""How the tests of the paper exchange build one: a market of whole ticks, a feed, and orders in ticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from cryptotrader.core.market import FeeIn, Market, Side
from cryptotrader.core.orders import OrderRequest, OrderType, VenueOrder
from cryptotrader.runtime import Runtime, virtual_runtime
from cryptotrader.venue.feed import Feed
from cryptotrader.venue.paper.pace import Pace, UnboundedPace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.venue import PaperVenue
from tests.feeds import ListFeed, Ohlc

SYMBOL = "BTC/USDT"
RICH = {"USDT": Decimal(1_000_000), "BTC": Decimal(1000)}


def tick_market(symbol: str = SYMBOL, *, fee_in: FeeIn = FeeIn.BASE, max_orders: int = 200) -> Market:
    """Return a market whose tick is 1, so that prices in tests are ticks."""
    return Market(
        symbol=symbol,
        tick_size=Decimal(1),
        lot_step=Decimal("0.001"),
        min_notional=Decimal("0.05"),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.002"),
        fee_in=fee_in,
        max_orders=max_orders,
    )


@dataclass
class Desk:
    """A paper exchange at a path, which can be closed and opened again with other settings."""

    path: Path
    feed: Feed
    market: Market = field(default_factory=tick_market)
    rules: PaperRules = field(default_factory=lambda: PaperRules(deposit=RICH))
    runtime: Runtime = field(default_factory=virtual_runtime)
    opened: list[PaperVenue] = field(default_factory=list)

    def open(self, pace: Pace | None = None, *, rules: PaperRules | None = None) -> PaperVenue:
        """Open the book; every venue opened is closed at the end of the test."""
        venue = PaperVenue(
            self.path,
            feeds={self.market.symbol: self.feed},
            markets={self.market.symbol: self.market},
            rules=rules or self.rules,
            runtime=self.runtime,
            pace=pace or UnboundedPace(),
            synchronous="OFF",
        )
        self.opened.append(venue)
        return venue

    def close(self) -> None:
        """Close every venue that was opened."""
        for venue in self.opened:
            venue.close()


def desk_of(
    path: Path, candles: Sequence[Ohlc], *, deposit: Mapping[str, Decimal] = RICH, market: Market | None = None
) -> Desk:
    """Return a desk over a list of candles."""
    desk = Desk(path / "paper.db", ListFeed(candles))
    desk.rules = PaperRules(deposit=deposit)
    desk.market = market or desk.market
    return desk


def order(
    venue: PaperVenue,
    side: Side,
    price: int,
    *,
    name: str,
    quantity: str = "1",
    kind: OrderType = OrderType.POST_ONLY,
) -> VenueOrder:
    """Place an order signed now."""
    return venue.place_order(request(venue, side, price, name=name, quantity=quantity, kind=kind))


def request(
    venue: PaperVenue,
    side: Side,
    price: int,
    *,
    name: str,
    quantity: str = "1",
    kind: OrderType = OrderType.POST_ONLY,
) -> OrderRequest:
    """Return an order signed now."""
    return OrderRequest(name, SYMBOL, side, kind, Decimal(price), Decimal(quantity), signed_at=venue.fetch_time())


def fills(venue: PaperVenue) -> list[tuple[str, Side, Decimal, Decimal, int]]:
    """Return every trade as (order id, side, price, quantity, market time in ms)."""
    trades = venue.fetch_trades(SYMBOL, 1)
    return [(t.venue_order_id, t.side, t.price, t.quantity, int(t.at.timestamp() * 1000)) for t in trades]
