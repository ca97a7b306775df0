"""The resolution gate: are the candles fine enough for the steps of this grid?

Within a candle only four prices are known, so a walk along them misses round trips. How many is a matter of
R = median candle range / grid step: measured against finer data the result errs by at most 3 % for R <= 0.5, by up to
12 % for R <= 1, and by up to -71 % above 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cryptotrader.core.candles import TIMEFRAMES_MS, timeframe_name
from cryptotrader.errors import InputRefused

GOOD_RATIO = Decimal("0.5")
FAIR_RATIO = Decimal(1)
WORST_RATIO = Decimal(2)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The judgement about candles and a grid; at most one of the two sentences is set.

    Attributes:
        ratio: R, the median candle range over the grid step; every result states it.
        warning: what to know before believing the result.
        refusal: why the result would be worth nothing; the caller decides whether to go on regardless.
    """

    ratio: Decimal
    warning: str | None = None
    refusal: str | None = None


def resolution_ratio(median_range_ticks: Decimal, step_ticks: Decimal) -> Decimal:
    """Return R, the median candle range divided by the grid step, both in ticks.

    Raises:
        InputRefused: the step is not positive, or the range is negative.
    """
    if step_ticks <= 0:
        raise InputRefused(f"The grid step is {step_ticks} ticks; it must be above 0.", field="step", value=step_ticks)
    if median_range_ticks < 0:
        message = f"The median candle range is {median_range_ticks} ticks; it cannot be negative."
        raise InputRefused(message, field="median_range", value=median_range_ticks)
    return median_range_ticks / step_ticks


def judge_resolution(ratio: Decimal, timeframe_ms: int) -> Resolution:
    """Judge R for candles of a timeframe: silent up to 0.5, a warning up to 2, a refusal above."""
    if ratio <= GOOD_RATIO:
        return Resolution(ratio)
    sentence = (
        f"The median {timeframe_name(timeframe_ms)} candle spans {_plain(ratio)} grid steps (R), "
        f"so profit may be off by {_expected_error(ratio)}; {_advice(ratio, timeframe_ms)}."
    )
    if ratio > WORST_RATIO:
        return Resolution(ratio, refusal=sentence)
    return Resolution(ratio, warning=sentence)


def finer_timeframe(ratio: Decimal, timeframe_ms: int) -> str | None:
    """Return the longest standard timeframe with R <= 0.5 to expect, or None when even 1s is too long.

    A price wanders about with the square root of time, so R falls to 0.5 at `timeframe * (0.5 / R)^2`.
    """
    if ratio <= GOOD_RATIO:
        return timeframe_name(timeframe_ms)
    needed_ms = timeframe_ms * (GOOD_RATIO / ratio) ** 2
    fitting = [name for name, milliseconds in TIMEFRAMES_MS.items() if milliseconds <= needed_ms]
    return fitting[-1] if fitting else None


def _expected_error(ratio: Decimal) -> str:
    if ratio <= FAIR_RATIO:
        return "up to 12 %"
    if ratio <= WORST_RATIO:
        return "more than 12 %"
    return "up to -71 %"


def _advice(ratio: Decimal, timeframe_ms: int) -> str:
    finer = finer_timeframe(ratio, timeframe_ms)
    if finer is None:
        return "no standard timeframe is fine enough for at most 3 % (R <= 0.5): widen the grid step"
    return f"use {finer} candles or finer for at most 3 % (R <= 0.5)"


def _plain(ratio: Decimal) -> str:
    """Round for people, away from the limits, so that 2.0004 does not read as an allowed 2.00."""
    rounded = f"{ratio:.2f}"
    return str(ratio) if Decimal(rounded) in {GOOD_RATIO, FAIR_RATIO, WORST_RATIO} else rounded
