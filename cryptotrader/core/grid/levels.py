"""Levels in whole ticks: the only rounding of prices there is."""

from __future__ import annotations

from math import exp, log

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
    return tuple(floor_root(lower ** (num_grids - i) * upper**i, num_grids) for i in range(num_grids + 1))


def floor_root(value: int, degree: int) -> int:
    """Return the largest whole t with `t ** degree <= value`, for value >= 1.

    A logarithm guesses; whole numbers decide, by Newton's steps from above.
    """
    guess = int(exp(log(value) / degree) * (1 + 1e-12)) + 1
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better
