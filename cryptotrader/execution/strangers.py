"""Open orders that look like ours and that the database does not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptotrader.core.orders import VenueOrder
from cryptotrader.store.database import Session
from cryptotrader.store.intents import PREFIX, known_ids

WAYS_OUT = "Adopt them with `orders adopt`, or cancel them with `orders cancel-foreign`."


def unknown_orders(session: Session, orders: Iterable[VenueOrder]) -> tuple[VenueOrder, ...]:
    """Return the orders whose id begins as ours and which no intent explains, oldest first.

    They come from a bot of another installation, or from before a backup was restored.
    """
    alike = [order for order in orders if order.client_order_id.startswith(PREFIX)]
    known = known_ids(session, (order.client_order_id for order in alike))
    return tuple(order for order in alike if order.client_order_id not in known)


def refusal(symbol: str, strangers: Sequence[VenueOrder]) -> str:
    """Return why a symbol is not traded while such orders rest on it; "" when there are none."""
    if not strangers:
        return ""
    lines = ", ".join(described(order) for order in strangers)
    return f"{symbol} is not traded: {len(strangers)} open orders are of a bot that is not known here: {lines}."


def described(order: VenueOrder) -> str:
    """Return an order in a few words."""
    return f"{order.client_order_id} ({order.side} {order.quantity:f} at {order.price:f})"
