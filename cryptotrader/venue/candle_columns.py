"""Candle files as columns: what stands in a file, exact but not yet judged, and how a file is refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cryptotrader.errors import CandlesRefused
from cryptotrader.venue.feed import Ticks

PRICES = ("open", "high", "low", "close")
TIME_NAMES = ("timestamp", "open_time", "time")


@dataclass(frozen=True, slots=True, eq=False)
class CandleColumns:
    """The columns of a file.

    Attributes:
        path: the file.
        first_row: what people call the first candle's row: 1, or 2 under a header line.
        time: open times in the file's own unit.
        prices: open, high, low, close, one row each, as whole multiples of 10 ** -decimals.
        volume: in base, as a float: it is only looked at, never counted with.
    """

    path: Path
    first_row: int
    time: Ticks
    prices: Ticks
    decimals: int
    volume: NDArray[np.float64]

    def price_text(self, units: int) -> str:
        """Return a price of this file as people write it."""
        return f"{Decimal(units).scaleb(-self.decimals):f}"


def file_refused(path: Path, what: str, *, hint: str = "") -> CandlesRefused:
    """Return the refusal of a whole file."""
    return CandlesRefused(f"{path.name} {what}.", field="candles", value=path, hint=hint)


def row_refused(path: Path, row: int, what: str, *, hint: str = "") -> CandlesRefused:
    """Return the refusal of one row; `row` is the number that a person sees in the file."""
    return CandlesRefused(f"{path.name}, row {row}: {what}.", field="candles", value=path, hint=hint)


def time_name(path: Path, names: Collection[str]) -> str:
    """Return the name of the open time's column.

    Raises:
        CandlesRefused: it, or one of the other columns of a candle, is missing.
    """
    found = next((name for name in TIME_NAMES if name in names), None)
    missing = [name for name in (*PRICES, "volume") if name not in names]
    if found is None:
        missing.insert(0, TIME_NAMES[0])
    if found is None or missing:
        columns = ", ".join(names) or "none"
        hint = f"Expected are {', '.join((TIME_NAMES[0], *PRICES, 'volume'))}."
        raise file_refused(path, f"lacks {', '.join(missing)}; its columns are {columns}", hint=hint)
    return found
