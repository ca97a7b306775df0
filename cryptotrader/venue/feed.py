"""What moves a paper venue's prices: a series of candles in integer ticks, from a file, a formula or an exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ticks = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CandleBlock:
    """Consecutive candles as columns of equal length, int64: open time in ms UTC, prices in ticks."""

    opened_at_ms: Ticks
    open: Ticks
    high: Ticks
    low: Ticks
    close: Ticks

    def __len__(self) -> int:
        return len(self.opened_at_ms)


class Feed(Protocol):
    """A series of candles, addressed by position: candle 0 is the first, and a position never changes meaning."""

    @property
    def label(self) -> str:
        """What this is, for people: "SYNTHETIC, seed 7" or a file's name."""
        ...

    @property
    def symbol(self) -> str: ...

    @property
    def timeframe_ms(self) -> int: ...

    def block(self, index: int) -> CandleBlock | None:
        """Return finished candles from position `index` on, at least one; None when there are none (yet)."""
        ...
