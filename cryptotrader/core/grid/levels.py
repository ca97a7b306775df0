"""Levels in whole ticks: the only rounding of prices there is."""

from __future__ import annotations

from cryptotrader.core.grid.config import Spacing


def level_ticks(lower: int, upper: int, num_grids: int, spacing: Spacing) -> tuple[int, ...]:
    """Return the N + 1 levels of N cells, in ticks, lowest first.

    Arithmetic: `lower + floor(i (upper - lower) / N)`. Geometric: the largest tick t with
    `t^N <= lower^(N-i) upper^i`, in whole numbers, because a power and a floor in decimals is a tick low in one
    grid of five. Levels may coincide when the range is too narrow: the plan refuses that.

    Args:
        lower, upper: the range in ticks, `0 < lower < upper`.
        num_grids: number of cells N, at least 1.
    """
    if spacing is Spacing.ARITHMETIC:
        return tuple(lower + i * (upper - lower) // num_grids for i in range(num_grids + 1))
    levels, power = [lower], lower**num_grids
    above = lower + (upper - lower) // num_grids + 1  # a geometric mean is never above the arithmetic one
    for _ in range(num_grids):
        power = power // lower * upper  # lower^(N-i) upper^i
        levels.append(floor_root(power, num_grids, above))
        above = (levels[-1] + 1) ** 2 // levels[-2] + 1  # exactly, level i + 1 is level i squared over level i - 1
    return tuple(levels)


def floor_root(value: int, degree: int, above: int) -> int:
    """Return the largest whole t with `t ** degree <= value`, by Newton's steps in whole numbers.

    Args:
        value: at least 1.
        above: where the steps begin: any whole number that is not below the root; the nearer, the fewer steps.
    """
    while True:
        better = ((degree - 1) * above + value // above ** (degree - 1)) // degree
        if better >= above:
            return above
        above = better
