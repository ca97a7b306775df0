"""An exchange's one-minute candles as a feed: position i is the minute that opens i minutes after the anchor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from cryptotrader.core.candles import MINUTE_MS, Candle
from cryptotrader.core.market import Market
from cryptotrader.errors import InputRefused, VenueUnavailable
from cryptotrader.runtime import from_ms, to_ms
from cryptotrader.venue.feed import CandleBlock
from cryptotrader.venue.live_prices import LivePrices

MINUTE = timedelta(milliseconds=MINUTE_MS)


class LiveFeed:
    """Finished minutes of a live market. Every `block` may raise `VenueUnavailable`.

    A minute that the exchange lacks between two it has becomes a flat candle at the close before it, so that a
    position stays a minute.
    """

    timeframe_ms = MINUTE_MS

    def __init__(self, prices: LivePrices, market: Market, *, anchor_ms: int) -> None:
        """Anchor a feed.

        Args:
            prices: where candles come from.
            market: the symbol and its tick.
            anchor_ms: the open time of position 0, a whole minute.

        Raises:
            InputRefused: the anchor is not a whole minute.
        """
        if anchor_ms % MINUTE_MS:
            message = f"The anchor {anchor_ms} is not a whole minute in ms."
            raise InputRefused(message, field="anchor_ms", value=anchor_ms, hint=f"Use a multiple of {MINUTE_MS}.")
        self._prices, self._market, self._anchor_ms = prices, market, anchor_ms

    @property
    def label(self) -> str:
        """The exchange's name."""
        return self._prices.label

    @property
    def symbol(self) -> str:
        """What the candles are of."""
        return self._market.symbol

    def block(self, index: int) -> CandleBlock | None:
        """Return finished candles from position `index` on, about 1000 at most; None when that minute is not over
        by the server's time, or the exchange has none from there on yet.
        """
        if index < 0:
            raise IndexError(f"a feed has no position {index}")
        opens_at = from_ms(self._anchor_ms + index * MINUTE_MS)
        now = self._prices.fetch_time()  # before the candles: what was over then is final in them
        if opens_at + MINUTE > now:
            return None
        candles = self._prices.fetch_minutes(self.symbol, opens_at)
        finished = [candle for candle in candles if opens_at <= candle.opened_at <= now - MINUTE]
        if not finished:
            return None
        return self._without_holes(opens_at, finished)

    def _without_holes(self, opens_at: datetime, candles: Sequence[Candle]) -> CandleBlock:
        at = np.array([(candle.opened_at - opens_at) // MINUTE for candle in candles], dtype=np.int64)
        opened, high, low, close = np.array([self._ticks(candle) for candle in candles], dtype=np.int64).T
        before = self._close_before(opens_at, candles[0])
        minutes = np.arange(at[-1] + 1, dtype=np.int64)
        so_far = np.searchsorted(at, minutes, side="right")  # how many candles opened up to each minute
        present = np.isin(minutes, at)
        flat = np.concatenate(([before], close))[so_far]
        columns = (np.where(present, column[so_far - 1], flat) for column in (opened, high, low, close))
        return CandleBlock(to_ms(opens_at) + minutes * MINUTE_MS, *columns)

    def _close_before(self, opens_at: datetime, first: Candle) -> int:
        """Return the price to fill a hole at the beginning with; 0 when there is none."""
        if first.opened_at == opens_at:
            return 0
        last = self._prices.fetch_minute_until(self.symbol, opens_at - MINUTE)
        # a symbol listed after the anchor has no price before its first
        return self._ticks(first)[0] if last is None else self._ticks(last)[3]

    def _ticks(self, candle: Candle) -> tuple[int, int, int, int]:
        try:
            return (
                self._market.ticks(candle.open),
                self._market.ticks(candle.high),
                self._market.ticks(candle.low),
                self._market.ticks(candle.close),
            )
        except InputRefused as refusal:
            raise VenueUnavailable(
                f"{self.label}, candle of {candle.opened_at:%Y-%m-%d %H:%M} UTC: {refusal}"
            ) from None
