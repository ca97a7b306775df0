"""Candles: open, high, low, close of one timeframe, as exact values, and the timeframes themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cryptotrader.errors import InputRefused

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

TIMEFRAMES_MS = {
    "1s": SECOND_MS,
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
}
_NAMES = {milliseconds: name for name, milliseconds in TIMEFRAMES_MS.items()}


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle; `opened_at` is its open time, UTC. Prices in quote, volume in base."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def timeframe_ms(name: str) -> int:
    """Return the length of a timeframe ("1m") in milliseconds.

    Raises:
        InputRefused: not one of the standard timeframes; the hint lists them.
    """
    if name not in TIMEFRAMES_MS:
        raise _timeframe_refused(f"Timeframe {name!r} is not known.", name)
    return TIMEFRAMES_MS[name]


def timeframe_name(milliseconds: int) -> str:
    """Return the name of a timeframe from its length in milliseconds (60000 is "1m").

    Raises:
        InputRefused: no standard timeframe is that long; the hint lists them.
    """
    if milliseconds not in _NAMES:
        raise _timeframe_refused(f"No timeframe is {milliseconds} ms long.", milliseconds)
    return _NAMES[milliseconds]


def _timeframe_refused(message: str, value: object) -> InputRefused:
    return InputRefused(message, field="timeframe", value=value, hint=f"Use one of {', '.join(TIMEFRAMES_MS)}.")
