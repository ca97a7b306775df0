"""High-water mark and drawdown of an equity curve."""

from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.equity import draw_down
from tests.core.grids import bounded


@pytest.mark.parametrize(
    ("high_water", "equity", "expected"),
    [
        ("100", "110", ("110", "0")),
        ("110", "110", ("110", "0")),
        ("110", "99", ("110", "0.1")),
        ("3", "2", ("3", "0.333333333334")),  # rounded up: a loss is never made smaller
        ("0", "0", ("0", "0")),
        ("0", "-5", ("0", "0")),
        ("100", "-50", ("100", "1.5")),
    ],
)
def test_drawdown_is_measured_from_the_peak(high_water, equity, expected):
    assert draw_down(Decimal(high_water), Decimal(equity)) == tuple(map(Decimal, expected))


@given(st.lists(st.decimals(min_value=1, max_value=10**6, places=2), min_size=1))
@bounded(100)
def test_peak_is_the_highest_so_far(curve):
    peak = curve[0]
    for equity, highest in zip(curve, accumulate(curve, max), strict=True):
        peak, drawdown = draw_down(peak, equity)
        assert peak == highest
        assert 0 <= drawdown < 1
        assert peak * (1 - drawdown) <= equity < peak * (1 - drawdown) + peak * Decimal("1e-12")
