"""Public prices of an exchange, for paper money: its rules, its time and its candles, without a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from cryptotrader.core.candles import Candle
from cryptotrader.core.market import Market, decimal_from
from cryptotrader.errors import InputRefused, VenueUnavailable
from cryptotrader.runtime import from_ms, to_ms
from cryptotrader.venue.public_client import PublicClient

PRICE_FIELDS = ("open", "high", "low", "close", "volume")


class LivePrices:
    """What an exchange tells everybody. There is no way to give it keys: it can neither see an account nor trade.

    Every reading may raise `VenueUnavailable`, with a short message that has no address in it.
    """

    def __init__(self, exchange: str = "binance", *, rest_url: str = "", timeout_ms: int = 10_000) -> None:
        """Prepare a connection; nothing is sent yet.

        Args:
            exchange: ccxt's name of it.
            rest_url: the origin of another host that speaks Binance's REST, or empty for the exchange's own.
            timeout_ms: how long to wait for an answer.

        Raises:
            InputRefused: an unknown exchange, or a host that cannot be used with it.
        """
        self._client = PublicClient(exchange, rest_url=rest_url, timeout_ms=timeout_ms)

    @property
    def label(self) -> str:
        """What moves the prices, for people."""
        return self._client.name

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def fetch_time(self) -> datetime:
        """Return the server's time."""
        return from_ms(self._client.fetch_time_ms())

    def fetch_market(self, symbol: str) -> Market:
        """Return units and limits of a spot symbol; fees are the default 0.1 %, as real ones need an account.

        Raises:
            InputRefused: the symbol does not exist (with near ones), or does not trade now.
        """
        listing = self._client.fetch_listing(symbol)
        if listing["active"] is False:
            raise InputRefused(f"{symbol} does not trade on {self.label} now.", field="symbol", value=symbol)
        try:
            return _market(symbol, listing)
        except (InputRefused, KeyError, TypeError):
            raise VenueUnavailable(f"{self.label} does not state the units of {symbol}.") from None

    def fetch_minutes(self, symbol: str, since: datetime) -> tuple[Candle, ...]:
        """Return up to 1000 one-minute candles from `since` on, oldest first; the last may be unfinished."""
        return self._candles(self._client.fetch_minutes(symbol, since_ms=to_ms(since)))

    def fetch_minute_until(self, symbol: str, until: datetime) -> Candle | None:
        """Return the last one-minute candle that opened at or before a moment, however long ago; None without any."""
        candles = self._candles(self._client.fetch_minutes(symbol, until_ms=to_ms(until)))
        return candles[-1] if candles else None

    def _candles(self, rows: list[list[Any]]) -> tuple[Candle, ...]:
        try:
            return tuple(_candle(row) for row in rows)
        except (InputRefused, IndexError, TypeError):
            raise VenueUnavailable(f"{self.label} answered with something that is no candle.") from None


def _candle(row: list[Any]) -> Candle:
    if not isinstance(row[0], int):
        raise TypeError
    numbers = (decimal_from(text, field=name) for name, text in zip(PRICE_FIELDS, row[1:], strict=False))
    return Candle(from_ms(row[0]), *numbers)


def _market(symbol: str, listing: Mapping[str, Any]) -> Market:
    minimum = listing["limits"]["cost"]["min"]
    filters = listing["info"].get("filters") or ()
    most = next((one["maxNumOrders"] for one in filters if one.get("filterType") == "MAX_NUM_ORDERS"), None)
    market = Market(
        symbol=symbol,
        tick_size=_unit(listing["precision"]["price"], field="tick size"),
        lot_step=_unit(listing["precision"]["amount"], field="lot step"),
        min_notional=Decimal(0) if minimum is None else _plain(decimal_from(minimum, field="minimum notional")),
    )
    return market if most is None else replace(market, max_orders=int(most))


def _unit(text: object, *, field: str) -> Decimal:
    unit = _plain(decimal_from(text, field=field))
    if unit <= 0:
        raise InputRefused(f"The {field} is {unit}.", field=field, value=unit)
    return unit


def _plain(number: Decimal) -> Decimal:
    """Drop the zeros that exchanges pad with, and keep 100 from becoming 1E+2."""
    return Decimal(f"{number.normalize():f}")
