"""An endless market of our own for first steps without an exchange, a key or a file: calm, trend, crash and gaps.

Everything is whole-number arithmetic on PCG64's raw words, whose stream NumPy guarantees: the candle at a position is
the same in every process, on every machine and after every upgrade. Prices wander around the start price in parts of
10^8 ("parts"): a profile that repeats every 14 days, plus a slow drift from cycle to cycle and a pull every two hours
(the knots), plus a random walk between knots that is bent to meet the next one (a Brownian bridge). So a day needs
nothing but its own number.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from cryptotrader.core.candles import DAY_MS, MINUTE_MS
from cryptotrader.errors import InputRefused
from cryptotrader.venue.feed import CandleBlock, Ticks

FIRST_OPENED_AT_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC
PARTS = 10**8  # of the start price
CYCLE_DAYS = 14
DAY_MINUTES = 1_440
KNOT_MINUTES = 120
KNOTS_A_DAY = DAY_MINUTES // KNOT_MINUTES
DAYS_KEPT = 4

# The profile: hour of the cycle -> parts above the start price. Calm, a trend up, a crash of 18 % in four hours with
# part recovery, and calm again.
PROFILE_HOURS = (0, 72, 120, 192, 200, 204, 212, 264, 336)
PROFILE_PARTS = tuple(PARTS // 1000 * per_mille for per_mille in (0, -20, 0, 100, 100, -98, -40, -30, 0))
# How much a minute moves (standard deviation, parts), by the day of the cycle.
MINUTE_PARTS = tuple(PARTS // 10_000 * m for m in (15, 14, 14, 14, 15, 16, 16, 16, 22, 18, 16, 15, 14, 14))
# How many minutes of each day of the cycle are missing, in one hole.
HOLE_MINUTES = (0, 0, 0, 7, 0, 0, 0, 0, 23, 0, 0, 3, 0, 0)

KNOT_PARTS = PARTS * 8 // 1000  # standard deviation of the pull at a knot
DRIFT_PARTS = PARTS * 15 // 1000  # ... and of a cycle's level
MOST_TICKS = 2**63 // PARTS // 4  # of the start price, so that ticks x parts stays inside int64
LEAST_TICKS = 10_000

_CANDLES_BEFORE_DAY = (0, *accumulate(DAY_MINUTES - hole for hole in HOLE_MINUTES))
CYCLE_CANDLES = _CANDLES_BEFORE_DAY[-1]


class SyntheticFeed:
    """One-minute candles from a formula, from 2024-01-01 UTC on, endless, within about 25 % of the start price."""

    timeframe_ms = MINUTE_MS

    def __init__(
        self, symbol: str, tick_size: Decimal, *, seed: int = 7, start_price: Decimal = Decimal(60_000)
    ) -> None:
        """Make the market of a seed.

        Args:
            symbol: what the market is of, for people; it changes no price.
            tick_size: the market's tick.
            seed: from 0; each is another market.
            start_price: the first open, on the tick, of 10,000 ticks at least.

        Raises:
            InputRefused: a negative seed, or a start price off the tick or out of the range of ticks.
        """
        if seed < 0:
            raise InputRefused(f"The seed is {seed}; it must be 0 or more.", field="seed", value=seed)
        self._symbol, self._seed = symbol, seed
        self._start_ticks = _start_ticks(start_price, tick_size)
        self._days: dict[int, CandleBlock] = {}

    @property
    def label(self) -> str:
        """What this is, for people; never to be taken for a real market."""
        return f"SYNTHETIC, seed {self._seed}"

    @property
    def symbol(self) -> str:
        """What the market is of."""
        return self._symbol

    def block(self, index: int) -> CandleBlock:
        """Return the candles from position `index` to the end of its day; there is always one."""
        if index < 0:
            raise IndexError(f"a feed has no position {index}")
        cycle, in_cycle = divmod(index, CYCLE_CANDLES)
        day_of_cycle = bisect_right(_CANDLES_BEFORE_DAY, in_cycle) - 1
        day = self._day(cycle * CYCLE_DAYS + day_of_cycle)
        rest = slice(in_cycle - _CANDLES_BEFORE_DAY[day_of_cycle], None)
        return CandleBlock(day.opened_at_ms[rest], day.open[rest], day.high[rest], day.low[rest], day.close[rest])

    def _day(self, day: int) -> CandleBlock:
        if day not in self._days:
            self._days[day] = self._compute_day(day)
            while len(self._days) > DAYS_KEPT:
                del self._days[next(iter(self._days))]
        return self._days[day]

    def _compute_day(self, day: int) -> CandleBlock:
        words = _words(self._seed, "minutes", day, 5 * DAY_MINUTES + 1)
        step, jump, up, down = _bells(words[: 4 * DAY_MINUTES], MINUTE_PARTS[day % CYCLE_DAYS]).reshape(4, DAY_MINUTES)
        knots = self._knots(day)
        close = _bridges(knots, step)
        # one minute in eight opens off the previous close, as on a real exchange
        jumps = words[4 * DAY_MINUTES : 5 * DAY_MINUTES] % 8 == 0
        jumps[0] = False
        opened = np.concatenate((knots[:1], close[:-1])) + np.where(jumps, jump // 3, 0)
        # half a normal step beyond open and close on either side: the mean range of a Brownian minute
        high = np.maximum(opened, close) + np.abs(up) // 2
        low = np.minimum(opened, close) - np.abs(down) // 2
        present = _present(day, int(words[-1]))
        opened_at = FIRST_OPENED_AT_MS + day * DAY_MS + MINUTE_MS * np.arange(DAY_MINUTES, dtype=np.int64)
        prices = (self._start_ticks * (PARTS + parts) // PARTS for parts in (opened, high, low, close))
        return CandleBlock(*(_read_only(column[present]) for column in (opened_at, *prices)))

    def _knots(self, day: int) -> Ticks:
        """Return where the price is at every second hour of a day, the next day's first included, in parts."""
        pull = np.concatenate((self._pull(day), self._pull(day + 1)[:1]))
        first = day % CYCLE_DAYS * DAY_MINUTES
        minutes = range(first, first + DAY_MINUTES + 1, KNOT_MINUTES)
        cycle = day // CYCLE_DAYS
        here, there = self._level(cycle), self._level(cycle + 1)
        base = [_profile(m) + here + (there - here) * m // (CYCLE_DAYS * DAY_MINUTES) for m in minutes]
        return pull + np.array(base, dtype=np.int64)

    def _pull(self, day: int) -> Ticks:
        pull = _bells(_words(self._seed, "knots", day, KNOTS_A_DAY), KNOT_PARTS)
        if day == 0:
            pull[0] = 0  # the first candle opens at the start price
        return pull

    def _level(self, cycle: int) -> int:
        return int(_bells(_words(self._seed, "cycle", cycle, 1), DRIFT_PARTS)[0]) if cycle else 0


def _start_ticks(start_price: Decimal, tick_size: Decimal) -> int:
    if not (tick_size.is_finite() and tick_size > 0):
        message = f"The tick size is {tick_size}; it must be a positive number."
        raise InputRefused(message, field="tick_size", value=tick_size)
    ticks = start_price / tick_size
    if ticks.is_nan() or not (LEAST_TICKS <= ticks <= MOST_TICKS) or ticks != int(ticks):
        message = f"The start price {start_price} is {ticks} ticks of {tick_size}."
        hint = f"It must be a whole number of ticks from {LEAST_TICKS} to {MOST_TICKS}."
        raise InputRefused(message, field="start_price", value=start_price, hint=hint)
    return int(ticks)


def _words(seed: int, stream: str, number: int, count: int) -> NDArray[np.uint64]:
    source = np.random.PCG64(np.random.SeedSequence((seed, *stream.encode(), number)))
    return np.asarray(source.random_raw(count), dtype=np.uint64)


def _bells(words: NDArray[np.uint64], deviation: int) -> Ticks:
    """Return one nearly normal whole number a word: the sum of its four 16-bit parts, centred and scaled."""
    sums = words.view(np.uint16).reshape(-1, 4).sum(axis=1, dtype=np.int64)
    bells: Ticks = (sums - 2 * 0xFFFF) * deviation // 37_837  # sqrt(4 (2^32 - 1) / 12): their standard deviation
    return bells


def _bridges(knots: Ticks, step: Ticks) -> Ticks:
    """Return the closes of a day: a random walk between each two knots, bent so that it meets the second."""
    walk = np.cumsum(step.reshape(KNOTS_A_DAY, KNOT_MINUTES), axis=1)
    missed = np.diff(knots)[:, None] - walk[:, -1:]
    elapsed = np.arange(1, KNOT_MINUTES + 1, dtype=np.int64)
    return (knots[:-1, None] + walk + missed * elapsed // KNOT_MINUTES).ravel()


def _profile(minute: int) -> int:
    """Return the profile at a minute of the cycle, in parts, on the straight line between its corners."""
    right = min(bisect_right(PROFILE_HOURS, minute // 60), len(PROFILE_HOURS) - 1)
    start, end = 60 * PROFILE_HOURS[right - 1], 60 * PROFILE_HOURS[right]
    rise = PROFILE_PARTS[right] - PROFILE_PARTS[right - 1]
    return PROFILE_PARTS[right - 1] + rise * (minute - start) // (end - start)


def _present(day: int, word: int) -> NDArray[np.bool_]:
    """Return which minutes of a day have a candle: all but one hole, away from the ends of the day."""
    present = np.ones(DAY_MINUTES, dtype=np.bool_)
    hole = HOLE_MINUTES[day % CYCLE_DAYS]
    start = 60 + word % (DAY_MINUTES - 120 - hole)
    present[start : start + hole] = False
    return present


def _read_only(column: Ticks) -> Ticks:
    column.flags.writeable = False
    return column
