"""Judge the columns of a candle file: what would make results wrong is refused, what is merely poor is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cryptotrader.core.candles import TIMEFRAMES_MS
from cryptotrader.runtime import from_ms
from cryptotrader.venue.candle_columns import CandleColumns, file_refused, row_refused

SECONDS_FROM, MILLISECONDS_FROM, MICROSECONDS_FROM, MICROSECONDS_TO = 10**8, 10**11, 10**14, 10**17
GAPS_LISTED = 5


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles that are not there: the open time of the first, and how many."""

    starts_at: datetime
    missing: int


def in_milliseconds(columns: CandleColumns) -> CandleColumns:
    """Return the columns with open times in ms, whichever of s, ms or us each row has (dumps changed in 2025).

    Raises:
        CandlesRefused: a time in no such unit, or not on a whole millisecond.
    """
    time = columns.time
    in_seconds = (time >= SECONDS_FROM) & (time < MILLISECONDS_FROM)
    in_micros = (time >= MICROSECONDS_FROM) & (time < MICROSECONDS_TO)
    known = (time >= SECONDS_FROM) & (time < MICROSECONDS_TO)
    _refuse_first(columns, ~known, "the time is not in s, ms or us since 1970")
    _refuse_first(columns, in_micros & (time % 1000 != 0), "the time is not a whole millisecond")
    return replace(columns, time=np.where(in_seconds, time * 1000, np.where(in_micros, time // 1000, time)))


def refuse_impossible_values(columns: CandleColumns) -> None:
    """Raise `CandlesRefused` for a price <= 0, a high and low that do not enclose the rest, or an odd volume."""
    opened, high, low, close = columns.prices
    _refuse_first(columns, columns.prices.min(axis=0) <= 0, "a price is not above 0")
    _refuse_first(columns, high < low, "the high is below the low")
    _refuse_first(columns, (opened > high) | (opened < low), "the open is outside of low and high")
    _refuse_first(columns, (close > high) | (close < low), "the close is outside of low and high")
    _refuse_first(columns, ~(np.isfinite(columns.volume) & (columns.volume >= 0)), "the volume is not 0 or more")


def without_duplicates(columns: CandleColumns) -> tuple[CandleColumns, tuple[str, ...]]:
    """Return the columns with one candle a time, and a sentence about those dropped.

    Raises:
        CandlesRefused: time goes back, or two candles of one time have different prices.
    """
    _refuse_first(columns, np.diff(columns.time, prepend=columns.time[:1]) < 0, "its time is before the row above")
    same = np.flatnonzero(np.diff(columns.time) == 0) + 1
    if not same.size:
        return columns, ()
    repeated = np.zeros(len(columns.time), dtype=np.bool_)
    repeated[same[(columns.prices[:, same] != columns.prices[:, same - 1]).any(axis=0)]] = True
    _refuse_first(columns, repeated, "it has the time of the row above and other prices")
    keep = np.ones(len(columns.time), dtype=np.bool_)
    keep[same] = False
    kept = replace(columns, time=columns.time[keep], prices=columns.prices[:, keep], volume=columns.volume[keep])
    return kept, (f"Equal duplicates, dropped: {same.size}, first at {_moment(columns, int(same[0]))}.",)


def find_timeframe(columns: CandleColumns) -> int:
    """Return the timeframe, in ms, that every step between candles is a multiple of.

    Raises:
        CandlesRefused: fewer than two candles, or steps that fit no one timeframe.
    """
    step = np.diff(columns.time)
    if not step.size:
        raise file_refused(columns.path, "holds one candle, which has no timeframe", hint="Two are the least.")
    smallest = int(step.min())
    if smallest in TIMEFRAMES_MS.values() and not (step % smallest).any():
        return smallest
    steps, counts = np.unique(step, return_counts=True)
    usual = int(steps[np.argmax(counts)])
    what = f"candles are {usual} ms apart"
    if (odd := np.flatnonzero(step % usual)).size:
        what += f", but the one at {_moment(columns, int(odd[0]) + 1)} is {step[odd[0]]} ms after the one before"
    raise file_refused(columns.path, f"fits no timeframe: {what}", hint=f"Timeframes are {', '.join(TIMEFRAMES_MS)}.")


def find_gaps(columns: CandleColumns, timeframe_ms: int) -> tuple[Gap, ...]:
    """Return the holes between the candles, oldest first."""
    step = np.diff(columns.time)
    return tuple(
        Gap(from_ms(int(columns.time[index]) + timeframe_ms), int(step[index]) // timeframe_ms - 1)
        for index in np.flatnonzero(step > timeframe_ms)
    )


def describe_gaps(gaps: tuple[Gap, ...]) -> tuple[str, ...]:
    """Return one sentence about the gaps, the first five by name; nothing when there are none."""
    if not gaps:
        return ()
    listed = [f"{gap.missing} from {gap.starts_at:%Y-%m-%d %H:%M:%S} UTC" for gap in gaps[:GAPS_LISTED]]
    if rest := gaps[GAPS_LISTED:]:
        listed.append(f"{sum(gap.missing for gap in rest)} in {len(rest)} more")
    holes = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    return (f"Missing candles: {sum(gap.missing for gap in gaps)} in {holes} ({', '.join(listed)}).",)


def describe_idle(columns: CandleColumns) -> tuple[str, ...]:
    """Return one sentence about candles without volume; nothing when there are none."""
    idle = np.flatnonzero(columns.volume == 0)
    if not idle.size:
        return ()
    return (f"Candles without volume: {idle.size}, first at {_moment(columns, int(idle[0]))}.",)


def _refuse_first(columns: CandleColumns, bad: NDArray[np.bool_], what: str) -> None:
    """Refuse the first bad row with its contents, in the file's own numbers."""
    if not bad.any():
        return
    index = int(np.argmax(bad))
    prices = ", ".join(columns.price_text(int(price)) for price in columns.prices[:, index])
    raise row_refused(
        columns.path,
        columns.first_row + index,
        f"{what} (time {columns.time[index]}, prices {prices}, volume {columns.volume[index]})",
    )


def _moment(columns: CandleColumns, index: int) -> str:
    return f"{from_ms(int(columns.time[index])):%Y-%m-%d %H:%M:%S} UTC"
