"""Candle files of real markets, where they lie beside the repository: read exactly, gaps found."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cryptotrader.core.resolution import resolution_ratio
from tests.venue.test_candle_file import columns, kline_text, read

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
real_data = pytest.mark.skipif(not DATA.is_dir(), reason="no real market data beside the repository (../shared/data)")


@real_data
@pytest.mark.parametrize(
    ("name", "tick", "count", "missing", "median"),
    [
        ("binance-BTC_USDT-1m-2021.parquet", "0.01", 42_915, [284], "7776"),
        ("binance-ETH_BTC-1m-2021.parquet", "0.000001", 57_196, [150, 284], "61"),
        ("perp-BTC_PERP-1m-2022.parquet", "0.001", 45_031, [], "35000"),
    ],
)
def test_real_files_are_read_exactly(name, tick, count, missing, median):
    candles = read(DATA / name)
    table = pq.read_table(DATA / name)
    assert (f"{candles.tick_size:f}", len(candles.block), candles.timeframe_ms) == (tick, count, 60_000)
    assert [gap.missing for gap in candles.gaps] == missing
    assert candles.median_range_ticks == Decimal(median)
    for column in ("open", "high", "low", "close"):
        text = [format(ticks * candles.tick_size, "f") for ticks in getattr(candles.block, column)[:3000].tolist()]
        assert [float(one) for one in text] == table[column].to_pylist()[:3000]
    assert np.array_equal(candles.block.opened_at_ms, table["timestamp"].to_numpy())


@real_data
def test_real_file_survives_kline_text_and_a_real_grid_step(tmp_path):
    parquet = read(DATA / "binance-BTC_USDT-1m-2021.parquet")
    block = parquet.block
    prices = [
        [f"{ticks * parquet.tick_size:.8f}" for ticks in c[:2_000].tolist()]
        for c in (block.open, block.high, block.low, block.close)
    ]
    rows = list(zip(block.opened_at_ms[:2_000].tolist(), *prices, ["1"] * 2_000, strict=True))
    (tmp_path / "a.csv").write_text(kline_text(rows))
    assert columns(read(tmp_path / "a.csv").block) == [c[:2_000] for c in columns(block)]
    one_percent = Decimal(int(block.open[0])) / 100
    assert resolution_ratio(parquet.median_range_ticks, one_percent) < Decimal("0.15")
