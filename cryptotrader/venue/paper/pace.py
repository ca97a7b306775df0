"""How far a paper market may walk: what "now" is, when the market is a series of candles.

The market time allowed so far is kept in the book, so that several processes share one market.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptotrader.errors import InputRefused

FOREVER_MS = 10**15  # about 31,700 years: more than any series, and far from the end of int64


@dataclass(frozen=True, slots=True)
class Allowance:
    """How far a market may walk, and when that was decided.

    Attributes:
        market_ms: market time allowed since the open of candle 0.
        wall_ms: wall time of the advance that decided it, ms since 1970.
    """

    market_ms: int
    wall_ms: int


class Pace(Protocol):
    """Decides at each advance how much market time is allowed."""

    def allow(self, before: Allowance | None, *, wall_ms: int, timeframe_ms: int) -> Allowance:
        """Return what is allowed now; `before` is None at the first advance of a market."""
        ...


@dataclass(frozen=True, slots=True)
class ReplayPace:
    """Let market time grow with the wall time that passes between two advances.

    Attributes:
        speed: market ms per wall ms.
        head_start_ms: market time granted at the first advance.
        idle_after_s: a longer wall gap counts as zero: replay time stands still while nothing runs.
    """

    speed: int
    head_start_ms: int
    idle_after_s: int = 150

    def __post_init__(self) -> None:
        """Refuse a market that would stand still or run backwards."""
        for name, value, least in (("speed", self.speed, 1), ("head_start_ms", self.head_start_ms, 0)):
            if value < least:
                raise InputRefused(f"{name} is {value}, below {least}.", field=name, value=value)

    def allow(self, before: Allowance | None, *, wall_ms: int, timeframe_ms: int) -> Allowance:  # noqa: ARG002
        """Grant the wall time since the last advance, times the speed."""
        if before is None:
            return Allowance(self.head_start_ms, wall_ms)
        gap_ms = wall_ms - before.wall_ms
        counted_ms = gap_ms if 0 <= gap_ms <= self.idle_after_s * 1000 else 0  # a clock set back grants nothing
        return Allowance(before.market_ms + counted_ms * self.speed, wall_ms)


@dataclass(frozen=True, slots=True)
class UnboundedPace:
    """Allow everything: the rest of a file, or all that a live feed has."""

    def allow(self, before: Allowance | None, *, wall_ms: int, timeframe_ms: int) -> Allowance:  # noqa: ARG002
        """Allow all finished candles."""
        return Allowance(FOREVER_MS, wall_ms)


@dataclass(slots=True)
class SteppedPace:
    """Allow a number of candles that the owner raises between passes (`--passes-every N`).

    Attributes:
        candles: allowed since candle 0, in time frames; a hole in the series counts as the candles it lacks.
    """

    candles: int

    def allow(self, before: Allowance | None, *, wall_ms: int, timeframe_ms: int) -> Allowance:
        """Allow `candles` time frames, never less than before."""
        return Allowance(max(self.candles * timeframe_ms, before.market_ms if before else 0), wall_ms)
