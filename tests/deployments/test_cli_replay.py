"""`cryptotrader run`: a file to its end, and the foreground."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.deployments.command_line import SWING, Answer, changed, swing, write_candles

Command = Callable[..., Answer]
MAY_2021 = Path(__file__).resolve().parents[3] / "shared/data/binance-BTC_USDT-1m-2021.parquet"
KEYS = [
    "candles", "passes", "fills", "cycles", "grid_profit", "inventory_pnl", "total_pnl", "hold_pnl", "fees", "equity",
    "open_orders", "ledger", "venue", "ledger_hash", "resolution_ratio", "warnings",
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(write_candles(tmp_path / "swing.csv", swing(3)))


def test_replays_to_the_end(command: Command, home: Path, file: str) -> None:
    answer = command("run", "--dry-run", "--market", "replay", "--candles", file, "--until-end", *SWING, "--json")
    assert (answer.code, answer.err) == (0, "")
    result = answer.document
    assert list(result) == KEYS
    assert (result["candles"], result["open_orders"], result["resolution_ratio"]) == (168, 10, "0.25")
    assert result["cycles"] > 10
    assert result["fills"] >= 2 * result["cycles"]
    assert result["ledger"] == result["venue"]
    profits = [Decimal(result[name]) for name in ("grid_profit", "inventory_pnl", "total_pnl")]
    assert profits[0] + profits[1] == profits[2] > 0
    assert Decimal(result["equity"]) == 1000 + profits[2]
    assert not home.exists()


def test_schedule_does_not_change_the_result(command: Command, file: str) -> None:
    words = ("run", "--candles", file, "--until-end", *SWING, "--json")
    once = command(*words).document
    often = command(*words, "--passes-every", "7").document
    assert often.pop("passes") > once.pop("passes")
    assert often == once


def test_touch_fills_more(command: Command, file: str) -> None:
    words = ("run", "--candles", file, "--until-end", *changed(SWING, upper="107", lower="93", grids="7"), "--json")
    assert command(*words, "--touch").document["fills"] > command(*words).document["fills"]


def test_people_see_the_three_numbers(command: Command, file: str) -> None:
    out = command("run", "--candles", file, "--until-end", *SWING).out
    for word in ("profit", "grid", "inventory", "holding", "ledger and venue agree", "hash"):
        assert word in out


def test_says_when_a_price_is_not_used(command: Command, file: str) -> None:
    warnings = command("run", "--candles", file, "--until-end", *SWING, "--price", "95", "--json").document["warnings"]
    assert warnings == ["--price 95 was not used: a replay starts at the first open of the file."]


def test_may_2021_has_one_hash(command: Command) -> None:
    if not MAY_2021.exists():
        pytest.skip(f"{MAY_2021.name} is not beside this checkout")
    flags = ("--lower", "40000", "--upper", "65000", "--grids", "20", "--investment", "10000")
    words = ("run", "--candles", str(MAY_2021), "--until-end", *flags, "--json")
    once, hourly = command(*words).document, command(*words, "--passes-every", "60").document
    assert once["ledger_hash"] == hourly["ledger_hash"]
    assert (once["candles"], once["ledger"]) == (42_915, once["venue"])
    assert "Missing candles: 284" in once["warnings"][0]


def test_foreground_trades_and_continues(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_SPEED", "100000")
    first = command("run", "--dry-run", "--cycles", "1")
    assert first.code == 0
    assert "sell" in first.out
    assert "SYNTHETIC" in first.err
    second = command("run", "--cycles", "1", "--json")
    assert (second.code, second.document["cycles"]) == (0, 2)
    assert "sell" in second.err
    assert command("ledger", "verify", "--json").code == 0


def test_foreground_trades_a_grid_of_its_own(command: Command, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY_SPEED", "100000")
    grid = ("--lower", "90", "--upper", "110", "--grids", "10", "--investment", "1000")
    words = ("run", "--symbol", "ETH/USDT", "--candles", file, *grid, "--cycles", "1", "--json")
    answer = command(*words)
    assert (answer.code, answer.document["name"], answer.document["symbol"]) == (0, "eth-usdt", "ETH/USDT")
    again = command(*words)
    assert (again.code, again.error["field"]) == (2, "symbol")


def test_ctrl_c_ends_the_foreground_in_order(home: Path) -> None:
    words = [sys.executable, "-m", "deployments.cli", "run", "--dry-run", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "buy" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the next run continues" in err
    assert json.loads(out)["fills"] > 0
