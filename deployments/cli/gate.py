"""The resolution gate at the command line: are these candles fine enough for this grid?"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from cryptotrader.core.grid.config import Spacing
from cryptotrader.core.grid.plan import GridPlan
from cryptotrader.core.resolution import Resolution, finer_timeframe, judge_resolution, resolution_ratio
from cryptotrader.errors import CandlesRefused

if TYPE_CHECKING:
    from cryptotrader.venue.candle_file import CandleFile


def step_ticks(plan: GridPlan) -> Decimal:
    """Return the grid's step in ticks: the range over N, or the smallest cell of a geometric grid."""
    config, tick = plan.config, plan.market.tick_size
    if config.spacing is Spacing.ARITHMETIC:
        return (config.upper - config.lower) / tick / config.num_grids
    return min(high - low for low, high in pairwise(plan.levels)) / tick


def judge(candles: CandleFile, plan: GridPlan) -> Resolution:
    """Judge a file's candles for a grid."""
    return judge_resolution(resolution_ratio(candles.median_range_ticks, step_ticks(plan)), candles.timeframe_ms)


def sentences(resolution: Resolution) -> tuple[str, ...]:
    """Return what a person has to know before believing a result."""
    return tuple(text for text in (resolution.warning, resolution.refusal) if text)


def pass_gate(resolution: Resolution, candles: CandleFile, *, force: bool) -> None:
    """Refuse candles that would make the result worthless, unless told to go on."""
    if resolution.refusal is None or force:
        return
    finer = finer_timeframe(resolution.ratio, candles.timeframe_ms)
    raise CandlesRefused(
        resolution.refusal, field="grids" if finer is None else "candles", value=candles.label,
        hint="Use --force to run all the same.",
    )  # fmt: skip
