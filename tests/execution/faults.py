"""A venue that fails on demand, around one that works."""

from __future__ import annotations

from cryptotrader.core.orders import OrderRequest, VenueOrder
from cryptotrader.errors import OrderRefused, OutcomeUnknown
from cryptotrader.venue.port import Venue


class FaultyVenue:
    """Passes everything on, but for the faults that a test has armed; each fault strikes once.

    Attributes:
        faults: by the number of the placement (from 1): "lost" before it arrives, "answer lost" after it was
            accepted, "refused".
        blind: order ids that `fetch_order` denies although they exist.
        sent: every client order id that was sent, in order.
    """

    def __init__(self, inner: Venue) -> None:
        self.inner, self.faults, self.blind = inner, dict[int, str](), set[str]()
        self.sent: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def place_order(self, request: OrderRequest) -> VenueOrder:
        self.sent.append(request.client_order_id)
        match self.faults.pop(len(self.sent), None):
            case "lost":
                raise OutcomeUnknown("the connection broke")
            case "answer lost":
                self.inner.place_order(request)
                raise OutcomeUnknown("the connection broke")
            case "refused":
                raise OrderRefused("-2010", "Account has insufficient balance for requested action.")
        return self.inner.place_order(request)

    def fetch_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        return None if client_order_id in self.blind else self.inner.fetch_order(symbol, client_order_id)
