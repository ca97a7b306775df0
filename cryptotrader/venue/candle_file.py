"""Candle files as a series in integer ticks: read, checked, and described by what is poor in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cryptotrader.errors import CandlesRefused, InputRefused
from cryptotrader.venue.candle_checks import (
    Gap,
    describe_gaps,
    describe_idle,
    find_gaps,
    find_timeframe,
    in_milliseconds,
    refuse_impossible_values,
    without_duplicates,
)
from cryptotrader.venue.candle_columns import PRICES, CandleColumns, file_refused, row_refused
from cryptotrader.venue.candle_csv import read_csv, read_zip
from cryptotrader.venue.candle_parquet import read_parquet
from cryptotrader.venue.feed import CandleBlock, Ticks

READERS = {".parquet": read_parquet, ".csv": read_csv, ".zip": read_zip}
INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class CandleFile:
    """A checked series of candles; two files are the same series when their fingerprints are.

    Attributes:
        label: the file's name.
        tick_size: what one tick is, in quote: given, or the coarsest power of ten that all prices lie on.
        block: all candles; the arrays are read-only.
        volume: in base, one a candle; a float, as it is only ever looked at.
        warnings: plain sentences about gaps, dropped duplicates and candles without volume.
        fingerprint: SHA-256 (hex) of the tick size, the times and the prices.
    """

    label: str
    symbol: str
    timeframe_ms: int
    tick_size: Decimal
    block: CandleBlock
    volume: NDArray[np.float64]
    warnings: tuple[str, ...]
    gaps: tuple[Gap, ...]
    fingerprint: str

    @property
    def median_range_ticks(self) -> Decimal:
        """The median of high - low, in ticks, exact: the numerator of the resolution gate."""
        ranges = np.sort(self.block.high - self.block.low)
        middle = len(ranges) // 2
        if len(ranges) % 2:
            return Decimal(int(ranges[middle]))
        return Decimal(int(ranges[middle - 1]) + int(ranges[middle])) / 2


def read_candles(path: Path, *, symbol: str, tick_size: Decimal | None) -> CandleFile:
    """Read and check a candle file: parquet, CSV, or a zip with one CSV (Binance's public kline dumps).

    Args:
        path: the file; its ending says what it is.
        symbol: what the candles are of ("BTC/USDT"); files do not say.
        tick_size: the market's tick, or None for the coarsest power of ten that all prices lie on.

    Raises:
        CandlesRefused: anything that would make results wrong, with the row and what would work.
        InputRefused: a tick size that is not a positive number.
    """
    columns = _read_columns(path)
    if not len(columns.time):
        raise file_refused(path, "holds no candles")
    refuse_impossible_values(columns)
    tick_size = _coarsest_tick(columns) if tick_size is None else _usable_tick(columns, tick_size)
    columns, dropped = without_duplicates(in_milliseconds(columns))
    timeframe_ms = find_timeframe(columns)
    gaps = find_gaps(columns, timeframe_ms)
    block = _block(columns, tick_size)
    return CandleFile(
        label=path.name,
        symbol=symbol,
        timeframe_ms=timeframe_ms,
        tick_size=tick_size,
        block=block,
        volume=columns.volume,
        warnings=(*describe_gaps(gaps), *dropped, *describe_idle(columns)),
        gaps=gaps,
        fingerprint=_fingerprint(block, tick_size),
    )


def _read_columns(path: Path) -> CandleColumns:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise file_refused(path, "is no candle file by its ending", hint=f"Use one of {', '.join(READERS)}.")
    if not path.is_file():
        raise file_refused(path, "is not there", hint="Check the path.")
    return reader(path)


def _coarsest_tick(columns: CandleColumns) -> Decimal:
    """Return the largest power of ten that divides every price."""
    divisor = int(np.gcd.reduce(columns.prices, axis=None))
    zeros = len(str(divisor)) - len(str(divisor).rstrip("0"))
    return Decimal(f"{Decimal(1).scaleb(zeros - columns.decimals):f}")


def _usable_tick(columns: CandleColumns, tick_size: Decimal) -> Decimal:
    """Return the tick size given, once it is known that every price lies on it."""
    if not tick_size.is_finite() or tick_size <= 0:
        message = f"The tick size is {tick_size}; it must be a positive number."
        raise InputRefused(message, field="tick_size", value=tick_size)
    tick = _units_per_tick(columns, tick_size)
    largest = int(columns.prices.max())
    if largest * tick.denominator > INT64_MAX:
        raise file_refused(columns.path, f"has prices too large to count in ticks of {tick_size:f}")
    # a tick above every price divides none of them, and may not fit into 64 bits
    off = columns.prices * tick.denominator % min(tick.numerator, INT64_MAX) != 0
    if off.any():
        raise _off_tick(columns, tick_size, off)
    return tick_size


def _off_tick(columns: CandleColumns, tick_size: Decimal, off: NDArray[np.bool_]) -> CandlesRefused:
    index = int(np.argmax(off.any(axis=0)))
    name = int(np.argmax(off[:, index]))
    price = columns.price_text(int(columns.prices[name, index]))
    what = f"{PRICES[name]} {price} is not on the tick, {tick_size:f}"
    hint = f"Use --tick {_coarsest_tick(columns):f}"
    return row_refused(columns.path, columns.first_row + index, what, hint=hint)


def _units_per_tick(columns: CandleColumns, tick_size: Decimal) -> Fraction:
    return Fraction(tick_size.scaleb(columns.decimals))


def _block(columns: CandleColumns, tick_size: Decimal) -> CandleBlock:
    tick = _units_per_tick(columns, tick_size)
    ticks = columns.prices * tick.denominator // min(tick.numerator, INT64_MAX)
    return CandleBlock(*(_read_only(column) for column in (columns.time, *ticks)))


def _read_only(column: Ticks) -> Ticks:
    column = np.ascontiguousarray(column, dtype=np.int64)
    column.flags.writeable = False
    return column


def _fingerprint(block: CandleBlock, tick_size: Decimal) -> str:
    digest = hashlib.sha256(f"{tick_size.normalize()}".encode())
    for column in (block.opened_at_ms, block.open, block.high, block.low, block.close):
        digest.update(column.astype("<i8", copy=False).tobytes())  # the same on machines of either byte order
    return digest.hexdigest()
