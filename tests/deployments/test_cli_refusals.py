"""What the command line refuses, in which words, and with which exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deployments.command_line import GOLDEN, SWING, Answer, changed, swing, write_candles

Command = Callable[..., Answer]

REFUSED = {
    "lower above upper": ({"lower": "40000"}, "lower", "not below upper"),
    "lower equal to upper": ({"lower": "33444.8"}, "lower", "not below upper"),
    "off the tick": ({"lower": "24323.55"}, "lower", "not on the tick"),
    "zero": ({"lower": "0"}, "lower", "positive number"),
    "below zero": ({"upper": "-1"}, "upper", "positive number"),
    "NaN": ({"upper": "NaN"}, "upper", "not a finite number"),
    "infinity": ({"upper": "Infinity"}, "upper", "not a finite number"),
    "no number": ({"upper": "much"}, "upper", "not a number"),
    "too many digits": ({"upper": "1e400"}, "upper", "more digits"),
    "price of NaN": ({"price": "nan"}, "price", "not a finite number"),
    "price of zero": ({"price": "0"}, "price", "positive number"),
    "one grid": ({"grids": "1"}, "grids", "too few"),
    "half a grid": ({"grids": "2.5"}, "grids", "not a whole number"),
    "grids without end": ({"grids": "inf"}, "grids", "not a finite number"),
    "a billion grids": ({"grids": "1000000000"}, "grids", "at most 200"),
    "too small an investment": ({"investment": "30"}, "investment", "too small"),
    "no investment at all": ({"investment": "0"}, "investment", "must be positive"),
    "steps below the fees": ({"grids": "180", "investment": "100000"}, "grids", "fees eat the step"),
    "no symbol": ({"symbol": "BTCUSDT"}, "symbol", "not a symbol"),
    "fee in per cent": ({"maker_fee": "2"}, "maker-fee", "fraction"),
    "reserve in per cent": ({"reserve": "2"}, "reserve", "fraction"),
    "slippage in per cent": ({"slippage": "2"}, "slippage", "fraction"),
    "tick of zero": ({"tick": "0"}, "tick", "positive"),
    "quantity off the lot": ({"quantity": "0.000000001"}, "quantity", "lot step"),
    "quantity over the investment": ({"quantity": "1"}, "quantity", "more than the investment"),
    "unknown spacing": ({"spacing": "cubic"}, "spacing", "'arithmetic', 'geometric'"),
}


@pytest.mark.parametrize(("new", "field", "words"), REFUSED.values(), ids=REFUSED)
def test_grid_refuses(command: Command, new: dict[str, str], field: str, words: str) -> None:
    answer = command("grid", *changed(GOLDEN, **new), "--json")
    assert answer.code == 2
    assert answer.error["field"] == field
    assert words in answer.error["message"]
    assert answer.err == ""


@pytest.mark.parametrize(("new", "field", "words"), REFUSED.values(), ids=REFUSED)
def test_people_get_one_sentence(command: Command, new: dict[str, str], field: str, words: str) -> None:
    answer = command("grid", *changed(GOLDEN, **new))
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert words in answer.err


@pytest.mark.parametrize(
    ("new", "hint"),
    [
        ({"investment": "30"}, "--investment 36.49 is enough for 6 grids"),
        ({"grids": "180", "investment": "100000"}, "At most --grids 136"),
        ({"grids": "1000000000", "investment": "100000"}, "At most --grids 136"),
        ({"lower": "24323.55"}, "24323.5 or 24323.6"),
        ({"maker_fee": "2"}, "0.02 means 2 %"),
        ({"reserve": "2"}, "0.02 means 2 %"),
    ],
)
def test_hint_says_what_would_work(command: Command, new: dict[str, str], hint: str) -> None:
    assert hint in command("grid", *changed(GOLDEN, **new), "--json").error["hint"]


def test_unknown_symbol_asks_for_its_units(command: Command) -> None:
    words = ("grid", "--symbol", "DOGE/USDT", "--lower", "1", "--upper", "2", "--grids", "5", "--price", "1.5")
    error = command(*words, "--investment", "100", "--json").error
    assert (error["field"], error["value"]) == ("symbol", "DOGE/USDT")
    assert "--tick, --lot and --min-notional" in error["hint"]


@pytest.mark.parametrize("missing", ["lower", "upper", "grids", "price", "investment"])
def test_names_what_is_missing(command: Command, missing: str) -> None:
    words = list(GOLDEN)
    at = words.index(f"--{missing}")
    del words[at : at + 2]
    error = command("grid", *words, "--json").error
    assert (error["field"], "missing" in error["message"]) == (missing, True)


@pytest.mark.parametrize("words", [("grid", "--bogus"), ("bogus",), ("stop",), ("ledger",), ("trades", "--limit", "0")])
def test_usage_errors_follow_the_same_rules(command: Command, words: tuple[str, ...]) -> None:
    plain = command(*words)
    assert (plain.code, plain.out) == (2, "")
    assert "--help" in plain.err
    if words != ("ledger",):
        assert command(*words, "--json").code == 2
        assert command(*words, "--json").error["message"]


def test_usage_error_names_flag_and_value(command: Command) -> None:
    error = command("trades", "--limit", "none", "--json").error
    assert (error["field"], error["value"]) == ("limit", "none")


def test_missing_file(command: Command) -> None:
    for words in (("grid",), ("run", "--until-end")):
        answer = command(*words, *SWING, "--candles", "nowhere.csv", "--json")
        assert (answer.code, answer.error["field"], answer.error["value"]) == (2, "candles", "nowhere.csv")


def test_unknown_name_in_settings_file(command: Command, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GRID_LOWR=1\n")
    answer = command("status", "--json")
    assert (answer.code, answer.error["field"]) == (2, "GRID_LOWR")
    assert "not a setting" in answer.error["message"]


def test_per_cent_in_settings(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISK_PCT_PER_TRADE", "2")
    answer = command("status", "--json")
    assert (answer.code, answer.error["field"]) == (2, "RISK_PCT_PER_TRADE")
    assert "0.02 means 2 %" in answer.error["message"]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("run", "--live"), "live"),
        (("run", "--live", "--confirm", "BTC/USDT", "--cycles", "3"), "live"),
        (("run", "--live", "--dry-run"), "live"),
        (("run", "--until-end", *SWING), "candles"),
        (("run", "--until-end", "--market", "live", *SWING), "market"),
        (("run", "--market", "futures"), "market"),
        (("run", "--touch"), "touch"),
        (("run", "--passes-every", "5"), "passes-every"),
        (("run", "--tick", "1"), "tick"),
        (("run", "--lower", "1"), "upper"),
    ],
)
def test_run_refuses(command: Command, home: Path, words: tuple[str, ...], field: str) -> None:
    answer = command(*words, "--json")
    assert (answer.code, answer.error["field"]) == (2, field)
    assert not home.exists()


def test_live_is_refused_while_a_dry_run_is_asked_for(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADING_DRY_RUN", "true")
    assert command("run", "--live", "--json").error["field"] == "TRADING_DRY_RUN"
    monkeypatch.setenv("TRADING_DRY_RUN", "false")
    assert command("run", "--live", "--json").error["field"] == "live"


def test_coarse_candles_need_force(command: Command, tmp_path: Path) -> None:
    file = write_candles(tmp_path / "coarse.csv", swing(1))
    words = ("run", "--until-end", "--candles", str(file), *changed(SWING, lower="99", upper="102", grids="14"))
    refused = command(*words, "--json")
    assert (refused.code, refused.error["field"]) == (2, "candles")
    assert "use 1s candles" in refused.error["message"]
    assert "--force" in refused.error["hint"]
    forced = command(*words, "--force", "--json")
    assert forced.code == 0
    assert refused.error["message"] in forced.document["warnings"]


def test_candles_off_the_tick(command: Command, tmp_path: Path) -> None:
    file = write_candles(tmp_path / "fine.csv", swing(1))
    error = command("run", "--until-end", "--candles", str(file), *changed(SWING, tick="1"), "--json").error
    assert (error["field"], "--tick 0.1" in error["hint"]) == ("candles", True)


@pytest.mark.parametrize("words", [("status",), ("orders",), ("trades",), ("ledger", "verify"), ("audit", "verify")])
def test_no_database_yet_is_a_failure(command: Command, home: Path, words: tuple[str, ...]) -> None:
    plain, document = command(*words), command(*words, "--json")
    assert (plain.code, plain.out, document.code) == (1, "", 1)
    assert "`cryptotrader init` makes one" in plain.err
    assert "`cryptotrader init` makes one" in document.error["message"]
    assert not home.exists()
