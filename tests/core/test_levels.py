"""Levels in whole ticks, against their definition by brute force."""

from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.grid.config import Spacing
from cryptotrader.core.grid.levels import floor_root, level_ticks
from tests.core.grids import bounded

ARITHMETIC, GEOMETRIC = Spacing.ARITHMETIC, Spacing.GEOMETRIC
RANGES = st.tuples(st.integers(1, 10**8), st.integers(1, 10**8)).map(lambda p: (p[0], p[0] + p[1]))
GRIDS = st.integers(1, 60)


@given(RANGES, GRIDS)
@bounded(200)
def test_geometric_levels_meet_their_definition(ends, grids):
    lower, upper = ends
    for i, tick in enumerate(level_ticks(lower, upper, grids, GEOMETRIC)):
        value = lower ** (grids - i) * upper**i
        assert tick**grids <= value < (tick + 1) ** grids


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
@bounded(200)
def test_narrow_geometric_levels_match_a_search(lower, width, grids):
    upper = lower + width
    values = [lower ** (grids - i) * upper**i for i in range(grids + 1)]
    searched = tuple(max(t for t in range(1, upper + 1) if t**grids <= value) for value in values)
    assert level_ticks(lower, upper, grids, GEOMETRIC) == searched


@given(RANGES, GRIDS)
@bounded(200)
def test_arithmetic_levels_are_floored_shares(ends, grids):
    lower, upper = ends
    levels = level_ticks(lower, upper, grids, ARITHMETIC)
    assert len(levels) == grids + 1
    for i, tick in enumerate(levels):
        assert (tick - lower) * grids <= i * (upper - lower) < (tick - lower + 1) * grids


@given(RANGES, GRIDS, st.sampled_from(Spacing))
@bounded(200)
def test_levels_begin_and_end_at_the_range(ends, grids, spacing):
    levels = level_ticks(*ends, grids, spacing)
    assert (levels[0], levels[-1]) == ends
    assert list(levels) == sorted(levels)


def test_levels_coincide_where_ticks_run_out():
    assert level_ticks(10, 12, 4, ARITHMETIC) == (10, 10, 11, 11, 12)
    assert level_ticks(10, 12, 4, GEOMETRIC) == (10, 10, 10, 11, 12)


def test_perfect_powers_are_not_missed():
    assert level_ticks(1, 2**10, 10, GEOMETRIC) == tuple(2**i for i in range(11))
    assert level_ticks(10**6, 10**9, 3, GEOMETRIC) == (10**6, 10**7, 10**8, 10**9)


@given(st.integers(1, 10**60), st.integers(1, 30), st.integers(0, 10**6))
@bounded(300)
def test_root_is_found_from_any_start_above(value, degree, margin):
    from_bits = 1 << -(-value.bit_length() // degree)
    root = floor_root(value, degree, from_bits)
    assert root**degree <= value < (root + 1) ** degree
    assert floor_root(value, degree, root + margin) == root


def test_two_hundred_geometric_grids_are_fast():
    begun = process_time()
    for grids in range(200, 1, -1):  # what the search for the largest number of grids does at worst
        level_ticks(4_800_000, 7_200_000, grids, GEOMETRIC)
    assert process_time() - begun < 1.5  # measured: 0.15 s; a start from bit lengths alone takes 6 s
