"""The desk: each market of a paper bot, from settings to fills, and back after a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cryptotrader.errors import CandlesRefused, InputRefused, SettingsRefused
from cryptotrader.execution.candle_cache import cache_candles
from cryptotrader.execution.commands import ensure_default_bot, list_bots
from cryptotrader.execution.desk import open_desk
from cryptotrader.execution.snapshot import take_snapshot
from cryptotrader.execution.tend import survey, trade_until_now
from cryptotrader.runtime import Runtime, from_ms, virtual_runtime
from cryptotrader.settings import Settings, load_settings
from cryptotrader.store.bots import find_bot
from cryptotrader.store.migrate import upgrade
from cryptotrader.store.read import bot_status, recent_fills
from cryptotrader.store.schema import EquityRow, SnapshotRow
from cryptotrader.store.snapshots import last_equity
from tests.venue.public_exchange import MINUTE, START, Exchange, kline

BOT = "btc-usdt"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def prepared(tmp_path: Path, **values: object) -> Settings:
    settings = load_settings(cryptotrader_home=tmp_path / "var", **values)
    settings.data.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database)
    return settings


def write_candles(path: Path, closes: list[int]) -> Path:
    rows = ["timestamp,open,high,low,close,volume"]
    for i, (before, after) in enumerate(zip([closes[0], *closes], closes, strict=False)):
        rows.append(f"{START + i * MINUTE},{before},{max(before, after)},{min(before, after)},{after},1")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_synthetic_market_trades_at_once_and_goes_on(tmp_path: Path) -> None:
    settings, runtime = prepared(tmp_path), virtual_runtime(start=datetime(2026, 1, 1, tzinfo=UTC))
    with open_desk(settings, runtime) as desk:
        assert ensure_default_bot(desk).name == BOT
        first = trade_until_now(desk, BOT)
        assert first.outcome == "traded"
        assert first.fills >= 3  # the start, and what the head start brings
        assert first.market_label == "SYNTHETIC, seed 7"
    with open_desk(settings, Runtime(runtime.wall, runtime.random, "restarted")) as desk:
        runtime.wall.sleep(60)
        assert ensure_default_bot(desk).name == BOT  # the same one
        trade_until_now(desk, BOT)
        with desk.db.reading() as session:
            status = bot_status(session, BOT)
        assert status.market_at is not None
        assert status.market_at - from_ms(START) > (first.market_at or from_ms(0)) - from_ms(START)
        assert status.profit is not None
        assert status.profit.total_pnl == status.profit.grid_profit + status.profit.inventory_pnl


def test_file_market_trades_the_file(tmp_path: Path) -> None:
    candles = write_candles(tmp_path / "made.csv", [1000, 980, 940, 990, 1010, 1060, 1000])
    settings = prepared(tmp_path, candles=candles)
    with open_desk(settings, virtual_runtime()) as desk:
        ensure_default_bot(desk)
        report = trade_until_now(desk, BOT)
        assert report.market_label == "made.csv"
        assert report.price == Decimal(1000)
        assert cache_candles(desk, "BTC/USDT", "1m").added == 7
        assert cache_candles(desk, "BTC/USDT", "1m").added == 0


def test_live_market_gives_paper_fills_at_public_prices(tmp_path: Path, exchange: Exchange, origin: str) -> None:
    exchange.klines = [kline(0, "100.00", "100.00", "100.00", "100.00")]
    exchange.klines += [kline(1, "100.00", "100.20", "95.00", "99.00"), kline(2, "99.00", "104.00", "98.00", "103.00")]
    exchange.now_minute = 1.2
    settings = prepared(tmp_path, trading_market="live", exchange_rest_url=origin, trading_deposit="1000",
                        grid_investment="1000")  # fmt: skip
    runtime = virtual_runtime(start=from_ms(START + int(1.2 * MINUTE)))
    with open_desk(settings, runtime) as desk:
        ensure_default_bot(desk)
        trade_until_now(desk, BOT)
    exchange.now_minute = 3.5
    with open_desk(settings, Runtime(runtime.wall, runtime.random, "restarted")) as desk:
        report = trade_until_now(desk, BOT)
        with desk.db.reading() as session:
            fills = recent_fills(session, BOT)
    assert report.market_label == "binance"
    assert report.price == Decimal(103)
    assert {fill.side for fill in fills} == {"buy", "sell"}


def test_survey_moves_a_paper_market_without_trading(tmp_path: Path) -> None:
    settings = prepared(tmp_path)
    with open_desk(settings, virtual_runtime()) as desk:
        ensure_default_bot(desk)
        assert survey(desk, BOT).work != ()
        trade_until_now(desk, BOT)
        assert survey(desk, BOT).work == ()


def test_snapshot_keeps_balances_equity_and_drawdown(tmp_path: Path) -> None:
    with open_desk(prepared(tmp_path), virtual_runtime()) as desk:
        ensure_default_bot(desk)
        report = trade_until_now(desk, BOT)
        lines = take_snapshot(desk, "paper")
        assert [line.asset for line in lines] == ["BNB", "BTC", "USDT"]
        with desk.db.reading() as session:
            point = last_equity(session, find_bot(session, BOT).id)
        assert point is not None
        assert report.profit is not None
        assert point.equity == report.profit.equity
        assert point.high_water == max(point.equity, Decimal(10_000))
        desk.runtime.wall.sleep(1)
        take_snapshot(desk, "paper")  # balances again, but the same market moment adds no second point
        with desk.db.reading() as session:
            counts = [session.scalar(select(func.count()).select_from(row)) for row in (SnapshotRow, EquityRow)]
        assert counts == [6, 1]


def test_each_market_has_books_of_its_own(tmp_path: Path) -> None:
    synthetic = prepared(tmp_path)
    from_file = prepared(tmp_path, candles=write_candles(tmp_path / "May 2021.csv", [1000, 980]))
    assert synthetic.data.name == "btc-usdt-synthetic-7"
    assert from_file.data.name == "btc-usdt-may-2021"
    with open_desk(synthetic, virtual_runtime()) as desk:
        ensure_default_bot(desk)
    with open_desk(from_file, virtual_runtime()) as desk:
        assert list_bots(desk) == ()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAX_DRAWDOWN_PCT", "15", "0.02 means 2 %"),
        ("TRADING_SYMBOL", "btcusdt", "TRADING_SYMBOL"),
        ("TRADING_MARKET", "moon", "TRADING_MARKET"),
        ("REPLAY_SPEED", "0", "REPLAY_SPEED"),
        ("GRID_NUM_GRIDS", "1", "GRID_NUM_GRIDS"),
        ("GRID_INVESTMENT", "NaN", "GRID_INVESTMENT"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsRefused, match=said) as refused:
        load_settings()
    assert refused.value.field == name


def test_an_unknown_key_in_the_settings_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GRID_LEVELS=3\n")
    with pytest.raises(SettingsRefused, match=r"GRID_LEVELS in \.env is not a setting"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("sqlite+aiosqlite:///a.db", "sqlite:///a.db"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
    ],
)
def test_database_urls_of_the_original_still_work(given: str, used: str) -> None:
    assert load_settings(database_url=given).database == used


@pytest.mark.parametrize("url", ["mysql://root:geheim@h/d", "trading.db", "sqlite://host/trading.db"])
def test_other_databases_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        _ = load_settings(database_url=url).database
    assert "geheim" not in str(refused.value)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_API_SECRET", "canary")
    settings = load_settings()
    assert "canary" not in f"{settings!r}{settings.model_dump_json()}"


def test_missing_candles_are_refused(tmp_path: Path) -> None:
    settings = prepared(tmp_path, candles=tmp_path / "none.parquet")
    with open_desk(settings, virtual_runtime()) as desk, pytest.raises(CandlesRefused):
        ensure_default_bot(desk)


def test_an_unknown_account_is_refused(tmp_path: Path) -> None:
    with open_desk(prepared(tmp_path), virtual_runtime()) as desk, pytest.raises(InputRefused, match="There is: paper"):
        desk.venue("binance")
