"""The synthetic market: the same everywhere, endless, and lively enough for a first grid."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

import numpy as np
import pytest

from cryptotrader.core.resolution import resolution_ratio
from cryptotrader.errors import InputRefused
from cryptotrader.runtime import from_ms
from cryptotrader.venue.feed import CandleBlock, Feed
from cryptotrader.venue.synthetic import CYCLE_CANDLES, CYCLE_DAYS, SyntheticFeed

TICK = Decimal("0.01")
START_TICKS = 6_000_000
LEVELS = [START_TICKS * 80 // 100 + START_TICKS // 100 * cell for cell in range(41)]  # +-20 % in 40 cells
COLUMNS = ("opened_at_ms", "open", "high", "low", "close")


def market(seed=7):
    return SyntheticFeed("BTC/USDT", TICK, seed=seed)


def read(feed: Feed, candles: int, index: int = 0) -> CandleBlock:
    blocks = []
    while sum(map(len, blocks)) < candles:
        blocks.append(feed.block(index + sum(map(len, blocks))))
    return CandleBlock(*(np.concatenate([getattr(block, name) for block in blocks])[:candles] for name in COLUMNS))


def columns(block):
    return [getattr(block, name).tolist() for name in COLUMNS]


def fills(block):
    """Count the fills of a grid whose state is the level without an order, walking the candles' four prices."""
    gap, count = 20, 0
    for opened, high, low, close in zip(*columns(block)[1:], strict=True):
        for price in (opened, low, high, close) if close > opened else (opened, high, low, close):
            while gap > 0 and price < LEVELS[gap - 1]:
                gap, count = gap - 1, count + 1
            while gap < 40 and price > LEVELS[gap + 1]:
                gap, count = gap + 1, count + 1
    return count


def test_label_says_synthetic_and_seed():
    feed = market()
    assert (feed.label, feed.symbol, feed.timeframe_ms) == ("SYNTHETIC, seed 7", "BTC/USDT", 60_000)


def test_first_candle_opens_at_the_start_price():
    first = market().block(0)
    assert from_ms(int(first.opened_at_ms[0])) == datetime(2024, 1, 1, tzinfo=UTC)
    assert int(first.open[0]) == START_TICKS


def test_first_day_is_pinned_forever():
    digest = sha256(b"".join(getattr(market().block(0), name).astype("<i8").tobytes() for name in COLUMNS))
    assert digest.hexdigest() == "8ae2920b372d2da512dbeaafcbf66e9c5f6025f0cb8d6ad62485adf0bc3d2a88"


def test_another_process_sees_the_same_candles():
    program = (
        "from decimal import Decimal\n"
        "from cryptotrader.venue.synthetic import SyntheticFeed\n"
        "print(SyntheticFeed('BTC/USDT', Decimal('0.01')).block(123_456).close[:50].tolist())"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(market().block(123_456).close[:50].tolist())


def test_position_never_changes_meaning():
    whole, feed = read(market(), 30_000), market()
    for index in (29_999, 0, 17, 20_160, 5_000, 29_000, 17):
        block = feed.block(index)
        length = min(len(block), 30_000 - index)
        assert [column[:length] for column in columns(block)] == [c[index : index + length] for c in columns(whole)]


def test_huge_position_is_as_near_as_the_first():
    block = market().block(10**12)
    assert 1 <= len(block) <= 1_440
    assert int(block.opened_at_ms[0]) > 0


def test_only_integers_leave_and_cannot_be_changed():
    block = market().block(0)
    assert [(getattr(block, name).dtype, getattr(block, name).flags.writeable) for name in COLUMNS] == [
        (np.dtype(np.int64), False)
    ] * 5


def test_candles_enclose_their_prices():
    block = read(market(), 2 * CYCLE_CANDLES)
    assert (block.low > 0).all()
    assert (block.high >= np.maximum(block.open, block.close)).all()
    assert (block.low <= np.minimum(block.open, block.close)).all()


def test_time_advances_and_some_minutes_are_missing():
    steps = np.diff(read(market(), 2 * CYCLE_CANDLES).opened_at_ms) // 60_000
    assert sorted(step for step in steps.tolist() if step != 1) == [4, 4, 8, 8, 24, 24]


def test_every_day_of_the_cycle_starts_at_midnight():
    index, opened = 0, []
    for _ in range(CYCLE_DAYS + 1):
        block = market().block(index)
        opened.append(int(block.opened_at_ms[0]))
        index += len(block)
    assert {after - before for before, after in pairwise(opened)} == {86_400_000}


def test_some_candles_open_off_the_previous_close():
    block = read(market(), CYCLE_CANDLES)
    share = np.mean(block.open[1:] != block.close[:-1])
    assert 0.05 < share < 0.2


@pytest.mark.parametrize("seed", [7, 0, 1, 2024])
def test_long_run_stays_near_the_start_price(seed):
    feed = market(seed)
    for cycle in (*range(4), 1_000, 123_456):
        block = read(feed, CYCLE_CANDLES, cycle * CYCLE_CANDLES)
        assert START_TICKS * 0.75 < block.low.min() < block.high.max() < START_TICKS * 1.25


def test_every_cycle_has_a_crash_and_part_recovery():
    close = read(market(), CYCLE_CANDLES).close
    drops = close[6 * 60 :] / close[: -6 * 60] - 1
    bottom = int(np.argmin(drops)) + 6 * 60
    assert -0.25 < drops.min() < -0.15
    assert close[bottom + 12 * 60] > close[bottom] * 1.02


@pytest.mark.parametrize("seed", [7, 0, 1, 2024])
def test_default_grid_fills_many_times_a_day(seed):
    feed = market(seed)
    assert fills(read(feed, 360)) >= 4
    assert fills(read(feed, 2 * CYCLE_CANDLES)) >= 28 * 25


def test_minutes_are_fine_enough_for_one_percent_steps():
    block = read(market(), CYCLE_CANDLES)
    median = Decimal(int(np.median(block.high - block.low)))
    assert resolution_ratio(median, Decimal(START_TICKS // 100)) <= Decimal("0.3")


def test_seeds_are_different_markets():
    assert columns(market(7).block(0)) != columns(market(8).block(0))


def test_other_units_move_alike():
    dear = SyntheticFeed("ETH/BTC", Decimal("0.00001"), start_price=Decimal("0.6")).block(500)
    cheap = market().block(500)
    assert dear.close[0] / 60_000 == pytest.approx(cheap.close[0] / START_TICKS, abs=1e-4)


@pytest.mark.parametrize("start", ["60000.001", "0.01", "NaN", "Infinity", "1e12"])
def test_start_price_out_of_range_is_refused(start):
    with pytest.raises(InputRefused) as refusal:
        SyntheticFeed("BTC/USDT", TICK, start_price=Decimal(start))
    assert refusal.value.field == "start_price"


@pytest.mark.parametrize("tick", ["0", "-0.01", "NaN"])
def test_tick_without_size_is_refused(tick):
    with pytest.raises(InputRefused) as refusal:
        SyntheticFeed("BTC/USDT", Decimal(tick))
    assert refusal.value.field == "tick_size"


def test_negative_seed_is_refused():
    with pytest.raises(InputRefused, match="The seed is -1"):
        market(seed=-1)


def test_negative_position_does_not_exist():
    with pytest.raises(IndexError):
        market().block(-1)
