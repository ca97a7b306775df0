"""Small feeds for tests: candles from lists of (open, high, low, close) in ticks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cryptotrader.venue.feed import CandleBlock

MINUTE_MS = 60_000
Ohlc = tuple[int, int, int, int]


class ListFeed:
    """A feed from a list of candles, one a time frame but for holes; more may be appended, as a live feed grows."""

    def __init__(
        self,
        candles: Sequence[Ohlc],
        *,
        symbol: str = "BTC/USDT",
        label: str = "test candles",
        start_ms: int = 0,
        timeframe_ms: int = MINUTE_MS,
        block_size: int = 1000,
        missing: frozenset[int] = frozenset(),
    ) -> None:
        self.label, self.symbol, self.timeframe_ms = label, symbol, timeframe_ms
        self._block_size, self._missing, self._next_ms = block_size, missing, start_ms
        self._rows: list[tuple[int, int, int, int, int]] = []
        self._columns = np.empty((0, 5), dtype=np.int64)
        self.append(candles)

    def append(self, candles: Sequence[Ohlc]) -> None:
        """Add candles, skipping the time slots that are missing."""
        for candle in candles:
            while self._next_ms // self.timeframe_ms in self._missing:
                self._next_ms += self.timeframe_ms
            self._rows.append((self._next_ms, *candle))
            self._next_ms += self.timeframe_ms
        self._columns = np.array(self._rows, dtype=np.int64).reshape(-1, 5)

    def block(self, index: int) -> CandleBlock | None:
        """Return up to `block_size` candles from a position on."""
        part = self._columns[index : index + self._block_size]
        if not len(part):
            return None
        return CandleBlock(*(part[:, column] for column in range(5)))
