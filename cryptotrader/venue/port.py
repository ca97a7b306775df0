"""The one door to an exchange, whatever stands behind it.

Every reading may raise `VenueUnavailable`. `place_order` may raise `OrderRefused` (proven: no such order) or
`OutcomeUnknown` (anything else: look it up). No method retries by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from cryptotrader.core.candles import Candle
from cryptotrader.core.market import Market
from cryptotrader.core.orders import Balance, OrderRequest, Ticker, VenueOrder, VenueTrade


class Venue(Protocol):
    """An account at an exchange.

    Attributes:
        account: the name of the account, unique in our database ("paper", "binance:main").
        mode: "paper" or "live".
        market_label: what moves the prices, for people ("SYNTHETIC, seed 7", "binance").
        recv_window_ms: how long after `signed_at` a request is still accepted.
    """

    @property
    def account(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def market_label(self) -> str: ...
    @property
    def recv_window_ms(self) -> int: ...

    def advance(self, symbol: str, watches: Sequence[Decimal] = ()) -> bool:
        """Let the market move to the next fill, the next watched price traded through, or now.

        Returns:
            True when it stopped at a fill or a watch, so that there may be more before now. A real exchange
            moves by itself: it always answers False.
        """
        ...

    def fetch_market(self, symbol: str) -> Market:
        """Return units, limits and fees. Raises `InputRefused` for a symbol that does not trade here."""
        ...

    def fetch_time(self) -> datetime:
        """Return the server's wall time."""
        ...

    def fetch_ticker(self, symbol: str) -> Ticker:
        """Return bid, ask and last price, with their market time."""
        ...

    def fetch_balances(self) -> Mapping[str, Balance]:
        """Return free and locked amounts by asset."""
        ...

    def fetch_open_orders(self, symbol: str | None) -> tuple[VenueOrder, ...]:
        """Return every open order of the account, ours or not, oldest first; None: on all symbols."""
        ...

    def fetch_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return an order in any state, or None when the venue does not know the id."""
        ...

    def fetch_trades(self, symbol: str, from_id: int, limit: int = 1000) -> tuple[VenueTrade, ...]:
        """Return our executions with `trade_id >= from_id`, oldest first, at most `limit`."""
        ...

    def place_order(self, request: OrderRequest) -> VenueOrder:
        """Send an order once. Raises `OrderRefused` or `OutcomeUnknown`."""
        ...

    def cancel_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Cancel an order and return it as it stands then; None when it is not open (look it up)."""
        ...

    def fetch_candles(self, symbol: str, timeframe: str, since: datetime, limit: int = 1000) -> tuple[Candle, ...]:
        """Return finished candles from `since` on, oldest first."""
        ...
