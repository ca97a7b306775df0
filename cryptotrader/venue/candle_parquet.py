"""Read candles from a parquet file: float prices become the integers behind their shortest decimal text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryptotrader.errors import CandlesRefused
from cryptotrader.venue.candle_columns import PRICES, CandleColumns, file_refused, row_refused, time_name
from cryptotrader.venue.feed import Ticks

MOST_DECIMALS = 18


def read_parquet(path: Path) -> CandleColumns:
    """Read the columns of a parquet file, as they are.

    Raises:
        CandlesRefused: damaged, missing or mistyped columns, an empty cell, a price that is no decimal number.
    """
    import pyarrow as arrow  # 0.3 s, and most runs read no parquet
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            opened = time_name(path, file.schema_arrow.names)
            names = [opened, *PRICES, "volume"]
            table = file.read(columns=names, use_threads=False).select(names)  # read() keeps the file's own order
        if arrow.types.is_timestamp(table[opened].type):
            microseconds = table[opened].cast(arrow.timestamp("us", table[opened].type.tz)).cast(arrow.int64())
            table = table.set_column(0, opened, microseconds)
    except (arrow.ArrowException, OSError) as error:
        raise file_refused(path, "is not a whole parquet file", hint="Download it again.") from error
    time = _numbers(path, opened, table[opened], "int64")
    floats = np.vstack([_numbers(path, name, table[name], "double") for name in PRICES])
    volume = _numbers(path, "volume", table["volume"], "double")
    prices, decimals = _units_of_floats(path, floats)
    return CandleColumns(path, 1, time, prices, decimals, volume)


def _numbers(path: Path, name: str, column: Any, wanted: str) -> NDArray[Any]:
    if str(column.type) != wanted:
        raise file_refused(path, f"has column {name} as {column.type}", hint=f"Store it as {wanted}.")
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise row_refused(path, row + 1, f"{name} is empty")
    return np.asarray(column.to_numpy())


def _units_of_floats(path: Path, prices: NDArray[np.float64]) -> tuple[Ticks, int]:
    """Return floats as integers and the decimals they share: price = integer * 10 ** -decimals.

    An integer below 2^53 and a power of ten up to 22 are exact floats and IEEE division rounds correctly, so
    `n / 10^d == price` holds exactly when the text of n with d decimals reads back as this very float.
    """
    finite = np.isfinite(prices)
    if not finite.all():
        raise _refusal(path, finite, prices, "is not a finite number")
    largest = float(np.max(np.abs(prices), initial=0.0))
    exact = np.zeros(prices.shape, dtype=np.bool_)
    for decimals in range(MOST_DECIMALS + 1):
        if largest * 10.0**decimals >= 2.0**53:
            break
        units = np.rint(prices * 10.0**decimals)
        exact = units / 10.0**decimals == prices
        if exact.all():
            return units.astype(np.int64), decimals
    raise _refusal(path, exact, prices, "has more digits than a price", hint="Round the prices to their tick.")


def _refusal(
    path: Path, good: NDArray[np.bool_], prices: NDArray[np.float64], what: str, *, hint: str = ""
) -> CandlesRefused:
    row = int(np.argmin(good.all(axis=0)))
    column = int(np.argmin(good[:, row]))
    return row_refused(path, row + 1, f"{PRICES[column]} {float(prices[column, row])!r} {what}", hint=hint)
