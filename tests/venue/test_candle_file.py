"""Candle files: exact ticks in, refusals with the row, warnings that go on."""

import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.errors import CandlesRefused, InputRefused
from cryptotrader.venue.candle_checks import Gap
from cryptotrader.venue.candle_file import read_candles
from cryptotrader.venue.file_feed import FileFeed

START = 1_704_067_200_000  # 2024-01-01
HEADER = "timestamp,open,high,low,close,volume"
ROWS = [
    (START, "100.00", "101.50", "99.50", "101.00", "3"),
    (START + 60_000, "101.00", "102.00", "100.25", "100.50", "2.5"),
    (START + 120_000, "100.50", "100.75", "100.50", "100.75", "1"),
]


def csv_text(rows=ROWS, header=HEADER):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def kline_text(rows=ROWS, header=""):
    lines = [",".join(map(str, (*row, row[0] + 59_999, "0", 7, "0", "0", "0"))) for row in rows]
    return "\n".join([header, *lines] if header else lines) + "\n"


@pytest.fixture
def file(tmp_path):
    def write(content, name="candles.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def zipped(tmp_path):
    def write(**texts):
        path = tmp_path / "BTCUSDT-1m-2024-01.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(f"{name}.csv", text)
        return path

    return write


@pytest.fixture
def parquet(tmp_path):
    def write(rows=ROWS, **changed):
        time, *numbers = zip(*rows, strict=True)
        names = ("open", "high", "low", "close", "volume")
        table = {"timestamp": pa.array(time, pa.int64())}
        table |= {n: pa.array([float(x) for x in c], pa.float64()) for n, c in zip(names, numbers, strict=True)}
        path = tmp_path / "candles.parquet"
        pq.write_table(
            pa.table({name: column for name, column in (table | changed).items() if column is not None}), path
        )
        return path

    return write


def read(path, tick=None):
    return read_candles(path, symbol="BTC/USDT", tick_size=None if tick is None else Decimal(tick))


def columns(block):
    return [c.tolist() for c in (block.opened_at_ms, block.open, block.high, block.low, block.close)]


def refused(path, tick=None):
    with pytest.raises(CandlesRefused) as refusal:
        read(path, tick)
    assert (refusal.value.field, refusal.value.value) == ("candles", str(path))
    return str(refusal.value)


CENTS = [
    [START, START + 60_000, START + 120_000],
    [10_000, 10_100, 10_050],
    [10_150, 10_200, 10_075],
    [9_950, 10_025, 10_050],
    [10_100, 10_050, 10_075],
]


def test_csv_becomes_exact_ticks(file):
    candles = read(file(csv_text()))
    assert columns(candles.block) == CENTS
    assert candles.volume.tolist() == [3.0, 2.5, 1.0]
    assert (candles.label, candles.symbol, candles.timeframe_ms) == ("candles.csv", "BTC/USDT", 60_000)
    assert (candles.tick_size, candles.warnings, candles.gaps) == (Decimal("0.01"), (), ())


def test_every_format_is_the_same_series(file, zipped, parquet):
    micro = [(row[0] * 1000, *row[1:]) for row in ROWS]
    seconds = [(row[0] // 1000, *row[1:]) for row in ROWS]
    dump_header = (
        "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
        "taker_buy_quote_volume,ignore"
    )
    fingerprints = [
        read(path).fingerprint
        for path in (
            file(csv_text(), "a.csv"),
            file(csv_text(micro), "b.csv"),
            file(csv_text(seconds), "c.csv"),
            file(csv_text([*ROWS[:1], *micro[1:]]), "d.csv"),  # Binance went over to us in 2025
            file("\ufeff" + csv_text().replace("\n", "\r\n") + "\r\n", "e.CSV"),
            file(kline_text(), "f.csv"),
            file(
                csv_text([(time, *(f"{price}000000" for price in prices), "1") for time, *prices, _ in ROWS]), "g.csv"
            ),
        )
    ]
    fingerprints += [read(zipped(a=kline_text())).fingerprint]
    fingerprints += [read(zipped(a=kline_text(header=dump_header))).fingerprint]
    fingerprints += [read(parquet()).fingerprint]
    assert len(set(fingerprints)) == 1


def test_parquet_column_order_and_extra_columns_do_not_matter(parquet):
    path = parquet(rows=ROWS)
    table = pq.read_table(path)
    pq.write_table(table.select(table.column_names[::-1]).append_column("trades", pa.array([1, 2, 3])), path)
    assert columns(read(path).block) == CENTS


def test_parquet_timestamps_may_be_instants(parquet):
    instants = pa.array([row[0] for row in ROWS], pa.timestamp("ms", tz="UTC"))
    assert columns(read(parquet(timestamp=instants)).block) == CENTS


@pytest.mark.parametrize(("scale", "tick"), [("1", "0.01"), ("100", "1"), ("4000", "1000"), ("0.000001", "0.00000001")])
def test_tick_is_inferred_as_the_coarsest_power_of_ten(file, parquet, scale, tick):
    rows = [(t, *(Decimal(price) * Decimal(scale) for price in prices), v) for t, *prices, v in ROWS]
    assert [f"{read(path).tick_size:f}" for path in (file(csv_text(rows)), parquet(rows))] == [tick, tick]


@given(
    ticks=st.lists(st.integers(1, 10**11), min_size=2, max_size=20),
    decimals=st.integers(0, 10),
)
def test_flat_prices_survive_text_and_float(tmp_path_factory, ticks, decimals):
    folder = tmp_path_factory.mktemp("flat")
    tick = Decimal(1).scaleb(-decimals)
    prices = [f"{price * tick:f}" for price in ticks]
    rows = [(START + 60_000 * number, *[price] * 4, "1") for number, price in enumerate(prices)]
    (folder / "a.csv").write_text(csv_text(rows))
    floats = {name: [float(price) for price in prices] for name in ("open", "high", "low", "close", "volume")}
    pq.write_table(pa.table({"timestamp": [row[0] for row in rows], **floats}), folder / "a.parquet")
    both = [read(folder / name, tick) for name in ("a.csv", "a.parquet")]
    assert [one.block.close.tolist() for one in both] == [ticks, ticks]


def test_given_tick_may_be_finer_or_no_power_of_ten(file):
    path = file(csv_text())
    assert [read(path, tick).block.open[0] for tick in ("0.001", "0.05", "0.25")] == [100_000, 2_000, 400]


def test_price_off_the_tick_names_the_tick_that_works(file, parquet):
    expected = "row {}: low 100.25 is not on the tick, 0.1. Use --tick 0.01"
    assert refused(file(csv_text()), "0.1") == f"candles.csv, {expected.format(3)}"
    assert refused(parquet(), "0.1") == f"candles.parquet, {expected.format(2)}"


def test_tick_above_every_price_is_refused(file):
    assert "open 100.00 is not on the tick, 1000000" in refused(file(csv_text()), "1e30")


def test_tick_too_fine_to_count_in_is_refused(file):
    assert "too large to count in ticks of 0.00000000000000001" in refused(file(csv_text()), "1e-17")


@pytest.mark.parametrize("tick", ["0", "-0.01", "NaN"])
def test_tick_without_size_is_refused(file, tick):
    with pytest.raises(InputRefused) as refusal:
        read(file(csv_text()), tick)
    assert refusal.value.field == "tick_size"


def test_gaps_are_listed_and_passed(file):
    starts = [0, 1, 4, 5, 10, 12, 14, 16, 19, 21]
    rows = [(START + 60_000 * minute, *ROWS[0][1:]) for minute in starts]
    candles = read(file(csv_text(rows)))
    assert [gap.missing for gap in candles.gaps] == [2, 4, 1, 1, 1, 2, 1]
    assert candles.gaps[0] == Gap(datetime(2024, 1, 1, 0, 2, tzinfo=UTC), 2)
    assert candles.warnings == (
        "Missing candles: 12 in 7 gaps (2 from 2024-01-01 00:02:00 UTC, 4 from 2024-01-01 00:06:00 UTC, "
        "1 from 2024-01-01 00:11:00 UTC, 1 from 2024-01-01 00:13:00 UTC, 1 from 2024-01-01 00:15:00 UTC, 3 in 2 more).",
    )


def test_equal_duplicates_are_dropped_aloud(file):
    candles = read(file(csv_text([ROWS[0], ROWS[1], ROWS[1], ROWS[1], ROWS[2]])))
    assert columns(candles.block) == CENTS
    assert candles.warnings == ("Equal duplicates, dropped: 2, first at 2024-01-01 00:01:00 UTC.",)


def test_candles_without_volume_are_told(file):
    candles = read(file(csv_text([ROWS[0], (*ROWS[1][:5], "0"), ROWS[2]])))
    assert candles.warnings == ("Candles without volume: 1, first at 2024-01-01 00:01:00 UTC.",)


def test_median_range_is_exact(file):
    assert read(file(csv_text())).median_range_ticks == Decimal(175)
    assert read(file(csv_text(ROWS[1:]))).median_range_ticks == Decimal(100)


def changed(row, **cells):
    names = HEADER.split(",")
    return tuple(cells.get(name, cell) for name, cell in zip(names, row, strict=True))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (changed(ROWS[1], low="0"), "row 3: a price is not above 0 (time 1704067260000, prices 101.00, 102.00, 0.00"),
        (changed(ROWS[1], open="-1"), "row 3: a price is not above 0"),
        (changed(ROWS[1], high="99"), "row 3: the high is below the low"),
        (changed(ROWS[1], open="103"), "row 3: the open is outside of low and high"),
        (changed(ROWS[1], close="100.24"), "row 3: the close is outside of low and high"),
        (changed(ROWS[1], volume="-1"), "row 3: the volume is not 0 or more"),
        (changed(ROWS[1], volume="nan"), "row 3: the volume is not 0 or more"),
        (changed(ROWS[1], timestamp=12), "row 3: the time is not in s, ms or us since 1970"),
        (changed(ROWS[1], timestamp=START * 1000 + 1), "row 3: the time is not a whole millisecond"),
        (changed(ROWS[1], timestamp=START - 60_000), "row 3: its time is before the row above"),
        (changed(ROWS[1], timestamp=START), "row 3: it has the time of the row above and other prices"),
        (changed(ROWS[1], timestamp=START + 61_000), "fits no timeframe: candles are 59000 ms apart, but the one at"),
    ],
)
def test_impossible_row_is_refused_with_its_number(file, parquet, row, said):
    rows = [ROWS[0], row, ROWS[2]]
    assert said in refused(file(csv_text(rows)))
    assert said.split(": ")[1].split(" (")[0] in refused(parquet(rows))


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "", "12x", "1e999999", "0." + "0" * 30 + "1"])
def test_csv_price_that_is_no_number_is_refused(file, text):
    assert "row 3: open" in refused(file(csv_text([ROWS[0], changed(ROWS[1], open=f'"{text}"'), ROWS[2]])))


@pytest.mark.parametrize("text", ["2024-01-01", "1704067260000.5", "9" * 30])
def test_csv_time_that_is_no_number_is_refused(file, text):
    assert f"row 3: timestamp '{text}' is not a number" in refused(
        file(csv_text([ROWS[0], changed(ROWS[1], timestamp=text), ROWS[2]]))
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1 / 3])
def test_parquet_price_that_is_no_decimal_is_refused(parquet, number):
    path = parquet(close=pa.array([101.0, number, 100.75], pa.float64()))
    assert f"row 2: close {number!r}" in refused(path)


def test_parquet_prices_of_no_common_tick_are_refused(parquet):
    rows = [(START, *["1e14"] * 4, "1"), (START + 60_000, *["1e-14"] * 4, "1")]
    assert "row 2: open 1e-14 has more digits than a price" in refused(parquet(rows))


def test_empty_cell_is_refused(parquet):
    path = parquet(close=pa.array([101.0, None, 100.75], pa.float64()))
    assert "row 2: close is empty" in refused(path)


def test_parquet_column_of_another_type_is_refused(parquet):
    assert "has column open as string. Store it as double." in refused(parquet(open=pa.array(["1", "2", "3"])))


def test_missing_columns_are_named(file, parquet):
    expected = "lacks timestamp, low; its columns are time_of_day, open, high, close, volume."
    assert expected in refused(file("time_of_day,open,high,close,volume\n1,2,3,4,5\n"))
    assert "lacks low; its columns are timestamp, open, high, close, volume." in refused(parquet(low=None))


def test_headerless_rows_must_be_klines(file):
    assert "has no header line and 6 columns, not the 12 of klines. Add the line timestamp,open" in refused(
        file(csv_text().split("\n", 1)[1])
    )


def test_step_of_no_timeframe_is_refused(file):
    rows = [(START + 420_000 * number, *ROWS[0][1:]) for number in range(3)]
    assert "fits no timeframe: candles are 420000 ms apart. Timeframes are 1s, 1m" in refused(file(csv_text(rows)))


def test_one_candle_has_no_timeframe(file):
    assert "holds one candle" in refused(file(csv_text(ROWS[:1])))


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("\n\n", "is empty"), (HEADER, "holds no candles")])
def test_empty_csv_is_refused(file, text, said):
    assert said in refused(file(text))


def test_empty_parquet_is_refused(parquet):
    path = parquet()
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert "holds no candles" in refused(path)


def test_cut_off_csv_is_refused(file):
    assert "row 3 has 10 columns where 12 are expected" in refused(file(kline_text()[:-5])).replace(":", "")


def test_binary_csv_is_refused(file):
    assert "is not CSV text in UTF-8" in refused(file(b"\xff\xfe\x00"))


def test_oversized_csv_cell_is_refused(file):
    assert "is not CSV text in UTF-8" in refused(file(f'{HEADER}\n"{"1" * 200_000}"\n'))


@pytest.mark.parametrize("size", [0, 10, 120, -1])
def test_truncated_zip_is_refused(zipped, size):
    path = zipped(a=kline_text(ROWS * 50))
    path.write_bytes(path.read_bytes()[:size])
    assert "is not a whole, readable zip file" in refused(path)


def test_damaged_zip_is_refused(zipped):
    path = zipped(a=kline_text())
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    assert "is not a whole, readable zip file" in refused(path)


def test_zip_must_hold_one_csv(zipped):
    assert "holds 2 CSV files" in refused(zipped(a=kline_text(), b=kline_text()))
    assert "holds 0 CSV files" in refused(zipped())


@pytest.mark.parametrize("size", [0, 10, 400])
def test_truncated_parquet_is_refused(parquet, size):
    path = parquet()
    path.write_bytes(path.read_bytes()[:size])
    assert "is not a whole parquet file" in refused(path)


def test_file_must_be_there(tmp_path):
    assert "missing.csv is not there" in refused(tmp_path / "missing.csv")


def test_other_endings_are_refused(file):
    assert "Use one of .parquet, .csv, .zip." in refused(file("x", "candles.txt"))


def test_fingerprint_follows_prices_time_and_tick(file):
    other_time = [(row[0] + 60_000, *row[1:]) for row in ROWS]
    other_price = [changed(ROWS[0], close="101.01"), *ROWS[1:]]
    paths = [file(csv_text(rows), f"{n}.csv") for n, rows in enumerate((ROWS, other_time, other_price))]
    prints = [read(path).fingerprint for path in paths] + [read(paths[0], "0.001").fingerprint]
    assert len(set(prints)) == 4
    assert read(paths[0], "0.0100").fingerprint == prints[0]


def test_arrays_cannot_be_changed(file):
    with pytest.raises(ValueError, match="read-only"):
        read(file(csv_text())).block.close[0] = 1


def test_feed_walks_the_file_by_position(file):
    feed = FileFeed(read(file(csv_text())))
    assert (feed.label, feed.symbol, feed.timeframe_ms) == ("candles.csv", "BTC/USDT", 60_000)
    assert [columns(feed.block(index)) for index in range(3)] == [[c[index:] for c in CENTS] for index in range(3)]
    assert (feed.block(3), feed.block(10**9)) == (None, None)
    with pytest.raises(IndexError):
        feed.block(-1)
