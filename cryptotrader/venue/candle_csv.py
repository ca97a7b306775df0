"""Read candles from CSV text, plain or zipped: with a header line, or as rows of Binance's public kline dumps."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import numpy as np

from cryptotrader.venue.candle_columns import PRICES, CandleColumns, file_refused, row_refused, time_name
from cryptotrader.venue.feed import Ticks

KLINE_COLUMNS = 12  # open time, o, h, l, c, volume, close time, quote volume, ...
INT64_DIGITS = 18

_Number = TypeVar("_Number")


def read_zip(path: Path) -> CandleColumns:
    """Read the one CSV in a zip file, as Binance publishes its klines.

    Raises:
        CandlesRefused: damaged, encrypted, not exactly one CSV, or a CSV that `read_csv` would refuse.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            content = archive.read(names[0]) if len(names) == 1 else b""  # checks the CRC
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:  # RuntimeError: encrypted
        raise file_refused(path, "is not a whole, readable zip file", hint="Download it again.") from error
    if len(names) != 1:
        raise file_refused(path, f"holds {len(names)} CSV files", hint="One is expected.")
    return _read_text(path, content)


def read_csv(path: Path) -> CandleColumns:
    """Read a CSV file, as it is.

    Raises:
        CandlesRefused: not text, missing columns, a row of another width, a cell that is not a number.
    """
    try:
        return _read_text(path, path.read_bytes())
    except OSError as error:
        raise file_refused(path, f"cannot be read ({error.strerror})") from error


def _read_text(path: Path, content: bytes) -> CandleColumns:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise file_refused(path, "is not CSV text in UTF-8") from error
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise file_refused(path, "is empty")
    names, first_row = _header(path, rows[0])
    del rows[: first_row - 1]
    odd = next((index for index, row in enumerate(rows) if len(row) != len(names)), None)
    if odd is not None:
        what = f"has {len(rows[odd])} columns where {len(names)} are expected"
        raise row_refused(path, odd + first_row, what, hint="The file may be cut off.")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return _parse(path, first_row, columns)


def _header(path: Path, row: Sequence[str]) -> tuple[list[str], int]:
    """Return the column names and the row of the first candle: from a header line, or for a kline row by position."""
    if not row or not row[0].strip().lstrip("-").isdigit():
        return [name.strip().lower() for name in row], 2
    if len(row) != KLINE_COLUMNS:
        what = f"has no header line and {len(row)} columns, not the {KLINE_COLUMNS} of klines"
        raise file_refused(path, what, hint=f"Add the line timestamp,{','.join(PRICES)},volume.")
    return ["timestamp", *PRICES, "volume", *(f"kline column {number}" for number in range(7, KLINE_COLUMNS + 1))], 1


def _parse(path: Path, first_row: int, columns: Mapping[str, Sequence[str]]) -> CandleColumns:
    opened = time_name(path, columns)

    def parse(name: str, number: Callable[[str], _Number]) -> list[_Number]:
        done: list[_Number] = []
        try:
            done.extend(map(number, columns[name]))
        except (ValueError, ArithmeticError):
            text = columns[name][len(done)]  # extend keeps what came before the failure
            raise row_refused(path, first_row + len(done), f"{name} {text!r} is not a number that fits") from None
        return done

    time = np.array(parse(opened, _whole), dtype=np.int64)
    exact = [parse(name, _finite) for name in PRICES]
    volume = np.array(parse("volume", float), dtype=np.float64)
    prices, decimals = _units_of_decimals(path, first_row, exact)
    return CandleColumns(path, first_row, time, prices, decimals, volume)


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) >= 10**INT64_DIGITS:
        raise OverflowError
    return number


def _finite(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError
    return number


def _units_of_decimals(path: Path, first_row: int, prices: Sequence[Sequence[Decimal]]) -> tuple[Ticks, int]:
    """Return exact prices as integers and the decimals they share: price = integer * 10 ** -decimals."""
    places = [[_decimals(price) for price in column] for column in prices]
    decimals = max(max(column, default=0) for column in places)
    for name, column, place in zip(PRICES, prices, places, strict=True):
        extremes = {place.index(max(place)), column.index(max(column)), column.index(min(column))} if column else set()
        for row in sorted(extremes):
            if max(place[row], column[row].adjusted() + min(decimals, INT64_DIGITS)) >= INT64_DIGITS:
                what = f"{name} {column[row]} has too many digits for a file of {decimals} decimals"
                raise row_refused(path, first_row + row, what)
    units = [[int(price.scaleb(decimals)) for price in column] for column in prices]
    return np.array(units, dtype=np.int64), decimals


def _decimals(price: Decimal) -> int:
    exponent = price.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
