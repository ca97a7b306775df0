"""What the paper exchange refuses before an order reaches its book, in the words and codes of Binance spot."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

from cryptotrader.core.market import Market
from cryptotrader.core.orders import OrderRequest, OrderType
from cryptotrader.errors import OrderRefused

CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9]{1,36}")
FURTHEST_AHEAD = timedelta(seconds=1)
LARGEST = Decimal(10) ** 15  # beyond any price or quantity; keeps absurd exponents out of the arithmetic
FINEST_EXPONENT = -30


def check_identity(request: OrderRequest, now: datetime) -> None:
    """Refuse a request by its timestamp or its client order id.

    Raises:
        OrderRefused: -1021 outside the window (or over 1 s in the future), -1100 an id with other characters.
    """
    if now > request.signed_at + timedelta(milliseconds=request.recv_window_ms):
        raise OrderRefused("-1021", "Timestamp for this request is outside of the recvWindow.")
    if request.signed_at > now + FURTHEST_AHEAD:
        raise OrderRefused("-1021", "Timestamp for this request was 1000ms ahead of the server's time.")
    if not CLIENT_ORDER_ID.fullmatch(request.client_order_id):
        raise OrderRefused(
            "-1100",
            "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[A-Za-z0-9]{1,36}$'.",
        )


def check_filters(request: OrderRequest, market: Market, *, last_ticks: int, resting: int) -> None:
    """Refuse an order that the symbol's filters do not let through.

    Args:
        request: price and quantity as sent; a market order is valued at the last price.
        market: units and limits.
        last_ticks: the last price walked.
        resting: how many orders of this symbol rest now.

    Raises:
        OrderRefused: -1013, naming the first filter that failed.
    """
    is_market = request.type is OrderType.MARKET
    if not _is_plain(request.price) or not (is_market or _is_multiple(request.price, market.tick_size)):
        raise failure("PRICE_FILTER")
    if not _is_plain(request.quantity) or not _is_multiple(request.quantity, market.lot_step):
        raise failure("LOT_SIZE")
    price = market.price(last_ticks) if is_market else request.price
    if price * request.quantity < market.min_notional:
        raise failure("NOTIONAL")
    if not is_market and resting >= market.max_orders:
        raise failure("MAX_NUM_ORDERS")


def failure(name: str) -> OrderRefused:
    """Return the refusal of a filter."""
    return OrderRefused("-1013", f"Filter failure: {name}")


def _is_plain(number: Decimal) -> bool:
    if not number.is_finite() or not 0 < number <= LARGEST:
        return False
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= FINEST_EXPONENT


def _is_multiple(number: Decimal, unit: Decimal) -> bool:
    return number >= unit and not number % unit
