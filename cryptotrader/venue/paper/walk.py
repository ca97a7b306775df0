"""The path of prices through candles, in whole ticks: where it is, and where it next meets a stop.

Path of a candle: from the previous close to the open, then open, low, high, close when close > open, else open, high,
low, close. Price moves tick by tick; the next stop depends on the point alone and not on how it was reached, so a
walk may be cut anywhere and goes on as if it had not been.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from cryptotrader.venue.feed import CandleBlock, Feed

LEGS = 4
NOWHERE_BELOW = -1  # prices are at least one tick
NOWHERE_ABOVE = 2**62
FIRST_SCAN = 64  # candles; each further scan is four times longer, so that a near stop costs little


@dataclass(frozen=True, slots=True)
class Point:
    """A point on the path, complete enough to go on from after a restart.

    Attributes:
        candle: position in the feed of the candle that is being walked.
        leg: 0 previous close to open, 1 to the first extreme, 2 to the second, 3 to the close.
        ticks: the last price.
        at_ms: market time, ms since 1970.
    """

    candle: int
    leg: int
    ticks: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Stops:
    """What ends a walk.

    Attributes:
        buy: a path that comes down to this fills an order; below the point where the walk starts.
        sell: a path that comes up to this fills an order; above it.
        watches: sorted prices; the first tick beyond one, from it or from the other side, is a stop.
    """

    buy: int = NOWHERE_BELOW
    sell: int = NOWHERE_ABOVE
    watches: tuple[int, ...] = ()

    def between(self, here: int, target: int) -> int | None:
        """Return the first stop on the way from here (exclusive) to the target (inclusive), or None."""
        if target < here:
            index = bisect_right(self.watches, here) - 1
            stop = max(self.buy, self.watches[index] - 1 if index >= 0 else NOWHERE_BELOW)
            return stop if stop >= target else None
        index = bisect_left(self.watches, here)
        stop = min(self.sell, self.watches[index] + 1 if index < len(self.watches) else NOWHERE_ABOVE)
        return stop if here < target and stop <= target else None

    def quiet(self, here: int) -> tuple[int, int]:
        """Return the prices (both exclusive) between which a path from here meets nothing, whatever its shape.

        A watch bounds it at the watch itself: a path may touch it and turn back through it.
        """
        below, above = bisect_right(self.watches, here) - 1, bisect_left(self.watches, here)
        low = max(self.buy, self.watches[below] if below >= 0 else NOWHERE_BELOW)
        return low, min(self.sell, self.watches[above] if above < len(self.watches) else NOWHERE_ABOVE)


def born(block: CandleBlock) -> Point:
    """Return the point at which a market is entered: the open of its first candle."""
    return Point(candle=0, leg=0, ticks=int(block.open[0]), at_ms=int(block.opened_at_ms[0]))


def walk(feed: Feed, start: Point, stops: Stops, until_ms: int) -> tuple[Point, bool]:
    """Follow the path to the next stop, or to the close of the last candle that ends by `until_ms`.

    Returns:
        The point reached, and whether it is a stop.
    """
    point = start
    while (block := feed.block(point.candle)) is not None:
        last_open_ms = until_ms - feed.timeframe_ms
        count = int(np.searchsorted(block.opened_at_ms, last_open_ms, side="right"))
        point, stopped = _walk_block(block, count, feed.timeframe_ms, point, stops)
        if stopped or count < len(block):
            return point, stopped
    return point, False


def _walk_block(block: CandleBlock, count: int, timeframe_ms: int, start: Point, stops: Stops) -> tuple[Point, bool]:
    point, stopped = start, False
    while not stopped and (row := point.candle - start.candle) < count:
        quiet = _quiet_rows(block, row, count, stops.quiet(point.ticks)) if point.leg == 0 else 0
        if quiet:
            last = row + quiet - 1
            ended_ms = int(block.opened_at_ms[last]) + timeframe_ms
            point = Point(point.candle + quiet, 0, int(block.close[last]), max(point.at_ms, ended_ms))
        else:
            point, stopped = _walk_candle(block, row, timeframe_ms, point, stops)
    return point, stopped


def _quiet_rows(block: CandleBlock, row: int, count: int, bounds: tuple[int, int]) -> int:
    """Count the candles from `row` on that stay strictly within the bounds."""
    low, high = bounds
    begin, size = row, FIRST_SCAN
    while begin < count:
        end = min(begin + size, count)
        loud = (block.low[begin:end] <= low) | (block.high[begin:end] >= high)
        first = int(loud.argmax())
        if loud[first]:
            return begin + first - row
        begin, size = end, size * 4
    return count - row


def _walk_candle(block: CandleBlock, row: int, timeframe_ms: int, start: Point, stops: Stops) -> tuple[Point, bool]:
    opened_ms, ticks = int(block.opened_at_ms[row]), start.ticks
    targets = waypoints(int(block.open[row]), int(block.high[row]), int(block.low[row]), int(block.close[row]))
    for leg in range(start.leg, LEGS):
        stop = stops.between(ticks, targets[leg])
        if stop is not None:
            at_ms = max(start.at_ms, opened_ms + leg * timeframe_ms // LEGS)
            return Point(start.candle, leg, stop, at_ms), True
        ticks = targets[leg]
    return Point(start.candle + 1, 0, ticks, max(start.at_ms, opened_ms + timeframe_ms)), False


def waypoints(open_: int, high: int, low: int, close: int) -> tuple[int, int, int, int]:
    """Return where the four legs of a candle end, in ticks."""
    return (open_, low, high, close) if close > open_ else (open_, high, low, close)
