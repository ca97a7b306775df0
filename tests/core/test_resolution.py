"""The resolution gate: silent to 0.5, a warning to 2, a refusal above."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.candles import TIMEFRAMES_MS, timeframe_ms
from cryptotrader.core.resolution import Resolution, finer_timeframe, judge_resolution, resolution_ratio
from cryptotrader.errors import InputRefused

MINUTE = timeframe_ms("1m")
HOUR = timeframe_ms("1h")


def test_ratio_is_range_over_step():
    assert resolution_ratio(Decimal("7776"), Decimal(60_000)) == Decimal("0.1296")


@pytest.mark.parametrize("step", [Decimal(0), Decimal(-1)])
def test_step_without_size_is_refused(step):
    with pytest.raises(InputRefused, match="must be above 0") as refusal:
        resolution_ratio(Decimal(1), step)
    assert refusal.value.field == "step"


def test_negative_range_is_refused():
    with pytest.raises(InputRefused, match="cannot be negative") as refusal:
        resolution_ratio(Decimal(-1), Decimal(1))
    assert refusal.value.field == "median_range"


@pytest.mark.parametrize("ratio", [Decimal(0), Decimal("0.25"), Decimal("0.5")])
def test_fine_candles_pass_in_silence(ratio):
    assert judge_resolution(ratio, MINUTE) == Resolution(ratio)


def test_warning_names_numbers_and_finer_timeframe():
    assert judge_resolution(Decimal("0.8"), HOUR) == Resolution(
        Decimal("0.8"),
        warning="The median 1h candle spans 0.80 grid steps (R), so profit may be off by up to 12 %; "
        "use 15m candles or finer for at most 3 % (R <= 0.5).",
    )


def test_warning_above_one_expects_more():
    judged = judge_resolution(Decimal("1.5"), HOUR)
    assert judged.refusal is None
    assert "more than 12 %; use 5m candles" in judged.warning


def test_refusal_above_two_expects_the_worst():
    assert judge_resolution(Decimal("4"), HOUR) == Resolution(
        Decimal("4"),
        refusal="The median 1h candle spans 4.00 grid steps (R), so profit may be off by up to -71 %; "
        "use 1s candles or finer for at most 3 % (R <= 0.5).",
    )


def test_exactly_two_is_only_a_warning():
    judged = judge_resolution(Decimal(2), HOUR)
    assert (judged.refusal, "spans 2 grid steps" in judged.warning) == (None, True)


def test_ratio_just_above_a_limit_does_not_read_as_the_limit():
    assert "spans 2.0004 grid steps" in judge_resolution(Decimal("2.0004"), HOUR).refusal


def test_without_finer_timeframe_the_step_must_grow():
    judged = judge_resolution(Decimal(3), timeframe_ms("1s"))
    assert judged.refusal.endswith(
        "no standard timeframe is fine enough for at most 3 % (R <= 0.5): widen the grid step."
    )


def test_fine_candles_need_no_finer_timeframe():
    assert finer_timeframe(Decimal("0.4"), MINUTE) == "1m"


@given(
    ratio=st.decimals(min_value="0.5", max_value=50, places=4).filter(lambda ratio: ratio > Decimal("0.5")),
    name=st.sampled_from(sorted(TIMEFRAMES_MS)),
)
def test_finer_timeframe_is_the_longest_that_suffices(ratio, name):
    needed = timeframe_ms(name) * (Decimal("0.5") / ratio) ** 2
    finer = finer_timeframe(ratio, timeframe_ms(name))
    sufficing = [length for length in TIMEFRAMES_MS.values() if length <= needed]
    assert (finer and timeframe_ms(finer)) == (max(sufficing) if sufficing else None)


@given(ratio=st.decimals(min_value=0, max_value=100, places=3), name=st.sampled_from(sorted(TIMEFRAMES_MS)))
def test_judgement_says_at_most_one_thing(ratio, name):
    judged = judge_resolution(ratio, timeframe_ms(name))
    said = (judged.warning is not None, judged.refusal is not None)
    assert said == (Decimal("0.5") < ratio <= 2, ratio > 2)
