"""Timeframes and their names."""

import pytest

from cryptotrader.core.candles import TIMEFRAMES_MS, timeframe_ms, timeframe_name
from cryptotrader.errors import InputRefused


@pytest.mark.parametrize(
    ("name", "milliseconds"),
    [("1s", 1_000), ("1m", 60_000), ("15m", 900_000), ("1h", 3_600_000), ("12h", 43_200_000), ("1w", 604_800_000)],
)
def test_timeframe_has_its_length(name, milliseconds):
    assert timeframe_ms(name) == milliseconds


@pytest.mark.parametrize("name", TIMEFRAMES_MS)
def test_timeframe_name_survives_the_round_trip(name):
    assert timeframe_name(timeframe_ms(name)) == name


def test_timeframes_are_listed_shortest_first():
    assert list(TIMEFRAMES_MS.values()) == sorted(TIMEFRAMES_MS.values())


@pytest.mark.parametrize("name", ["", "2m", "1M", "60", "1 m"])
def test_unknown_timeframe_is_refused_with_all_that_work(name):
    with pytest.raises(InputRefused) as refusal:
        timeframe_ms(name)
    assert (refusal.value.field, refusal.value.value) == ("timeframe", name)
    assert refusal.value.hint == "Use one of 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d, 1w."


def test_length_of_no_timeframe_is_refused():
    with pytest.raises(InputRefused, match="No timeframe is 61000 ms long") as refusal:
        timeframe_name(61_000)
    assert refusal.value.field == "timeframe"
