"""Commands on an installation: init, status, lists, stop, pause, resume, doctor, verify."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from deployments.cli.trades import safe_cell
from deployments.record import StackRecord, save_record
from tests.deployments.command_line import Answer

Command = Callable[..., Answer]


@pytest.fixture
def traded(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """An installation whose bot has done a round trip."""
    monkeypatch.setenv("REPLAY_SPEED", "100000")
    assert command("run", "--cycles", "1").code == 0
    return command


def database(home: Path) -> Path:
    return home / "btc-usdt-synthetic-7" / "trading.db"


def test_init_makes_everything_once(command: Command, home: Path, tmp_path: Path) -> None:
    first = command("init", "--json").document
    assert first == {"home": str(home), "revision": first["revision"], "bot": "btc-usdt", "env_written": True}
    assert home.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert all(line.startswith("#") for line in (tmp_path / ".env").read_text().splitlines() if line)
    again = command("init")
    assert (again.code, ".env" in again.out, "cryptotrader up" in again.out) == (0, False, True)
    assert database(home).exists()


def test_status_before_the_first_pass(command: Command) -> None:
    command("init")
    document = command("status", "--json").document
    assert (document["mode"], document["market"], document["processes"]) == ("paper", "replay", [])
    (bot,) = document["bots"]
    assert (bot["state"], bot["control"], bot["price"], bot["equity"]) == ("new", "active", None, None)
    assert "waiting for its first pass" in command("status").out


def test_status_has_every_key(traded: Command) -> None:
    (bot,) = traded("status", "--json").document["bots"]
    assert list(bot) == [
        "name", "symbol", "state", "control", "lease", "last_pass_at", "price", "open_orders", "unknown_orders",
        "fills", "cycles", "grid_profit", "inventory_pnl", "total_pnl", "hold_pnl", "equity", "empty_levels",
    ]  # fmt: skip
    assert bot["lease"] == {"holder": None, "expires_at": None}
    assert bot["last_pass_at"].endswith("Z")
    assert (bot["state"], bot["cycles"]) == ("running", 1)
    assert Decimal(bot["grid_profit"]) + Decimal(bot["inventory_pnl"]) == Decimal(bot["total_pnl"])


def test_status_for_people(traded: Command) -> None:
    out = traded("status").out
    for word in ("btc-usdt", "SYNTHETIC", "grid", "inventory", "holding", "1 round trips", "Nothing runs"):
        assert word in out


def test_status_tells_of_a_dead_stack(command: Command, home: Path) -> None:
    command("init")
    save_record(home, StackRecord(token="nobody", pid=1, url="http://127.0.0.1:9"))
    processes = command("status", "--json").document["processes"]
    assert [(p["name"], p["healthy"]) for p in processes] == [("server", False), ("serve", False), ("watch", False)]
    assert processes[0]["url"] == "http://127.0.0.1:9"
    assert "does not answer" in command("status").out


def test_lists_orders(traded: Command) -> None:
    every, resting = traded("orders", "--json").document, traded("orders", "--open", "--json").document
    assert len(every) > len(resting) > 0
    assert {order["state"] for order in resting} == {"open"}
    assert list(every[0]) == [
        "id", "bot", "symbol", "side", "type", "price", "quantity", "filled", "state", "purpose", "cell", "created_at",
    ]  # fmt: skip
    assert resting[0]["id"] in traded("orders", "--open").out
    assert traded("orders", "--bot", "nobody", "--json").error["field"] == "bot"


def test_lists_trades(traded: Command) -> None:
    fills = traded("trades", "--json").document
    assert [fill["id"] for fill in fills] == list(range(1, len(fills) + 1))
    assert fills[0]["purpose"] == "start"
    assert len(traded("trades", "--limit", "1", "--json").document) == 1
    assert traded("trades").out.count("\n") == len(fills)


def test_writes_trades_for_a_spreadsheet(traded: Command, tmp_path: Path) -> None:
    answer = traded("trades", "--csv", "trades.csv", "--limit", "1")
    assert (answer.code, answer.out) == (0, "")
    with (tmp_path / "trades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    fills = traded("trades", "--json").document
    assert [row["price"] for row in rows] == [fill["price"] for fill in fills]
    refused = traded("trades", "--csv", "no/such/folder/t.csv", "--json")
    assert (refused.code, refused.error["field"]) == (2, "csv")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe_cell("bot", text) == f"'{text}"
    assert safe_cell("realised", "-1.5") == "-1.5"


def test_lists_bots(command: Command) -> None:
    command("init")
    line = {"name": "btc-usdt", "symbol": "BTC/USDT", "account": "paper", "mode": "paper"}
    assert command("bot", "list", "--json").document == [line]
    assert "btc-usdt" in command("bot", "list").out


def test_stop_keeping_orders(traded: Command) -> None:
    resting = len(traded("orders", "--open", "--json").document)
    answer = traded("stop", "--orders", "keep", "--reason", "holiday", "--json")
    assert answer.code == 0
    assert list(answer.document) == ["state", "cancelled", "open_orders", "reads", "sold", "seconds", "report"]
    assert (answer.document["state"], answer.document["cancelled"], answer.document["sold"]) == ("halted", 0, "0")
    assert answer.document["open_orders"] >= resting - 1  # one may have filled at the venue meanwhile
    assert "halted: btc-usdt" in answer.err
    assert traded("status", "--json").document["bots"][0]["control"] == "halted"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("--bot", "nobody"), "bot"),
        (("--bot", "btc-usdt", "--all"), "bot"),
        (("--orders", "keep", "--sell"), "sell"),
        (("--orders", "forget"), "orders"),
    ],
)
def test_stop_refuses(command: Command, words: tuple[str, ...], field: str) -> None:
    command("init")
    assert command("stop", *words, "--reason", "why", "--json").error["field"] == field


def test_pause_and_resume(command: Command) -> None:
    command("init")

    def control(*words: str) -> str:
        (bot,) = command(*words, "--json").document["bots"]
        return bot["control"]

    assert control("pause") == "reducing"
    assert control("resume", "--bot", "btc-usdt", "--reason", "calm again") == "active"
    assert control("pause", "--all", "--all-orders") == "halted"
    assert command("pause", "--json").error["field"] == "bot"
    assert control("resume", "--bot", "btc-usdt", "--reason", "only this one") == "halted"
    assert control("resume", "--all", "--reason", "all of them") == "active"
    assert "buys and sells" in command("resume", "--reason", "told to").out
    assert command("resume", "--reason", " ", "--json").error["field"] == "reason"


def test_without_bots_one_must_be_named(command: Command, home: Path) -> None:
    command("init")
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("UPDATE bot SET closed_at = created_at")
    assert command("pause", "--json").error["hint"] == "Give --all, or --bot with one of: none yet."
    assert command("pause", "--all", "--json").document == {"bots": []}


def checks(answer: Answer) -> dict[str, tuple[bool, str]]:
    assert all(list(check) == ["name", "ok", "severity", "message"] for check in answer.document)
    return {check["name"]: (check["ok"], check["severity"]) for check in answer.document}


def test_doctor_on_a_healthy_installation(command: Command, monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("PREFECT_PORT", str(free_port))
    command("init")
    answer = command("doctor", "--json")
    found = checks(answer)
    assert answer.code == 0
    assert found.pop("prefect") == (False, "warning")
    assert set(found) == {"python", "settings", "folder", "database", "disk", "port", "candles", "clock"}
    assert set(found.values()) == {(True, "info")}
    assert "database" in command("doctor").out


def test_doctor_before_init(command: Command, home: Path) -> None:
    found = checks(command("doctor", "--json"))
    assert (found["folder"], found["database"]) == ((False, "warning"), (False, "warning"))
    assert not home.exists()


def test_doctor_finds_what_is_wrong(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("init")
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("UPDATE bot SET last_pass_at = '2999-01-01T00:00:00.000000+00:00'")
    home.chmod(0o755)
    answer = command("doctor", "--json")
    found = checks(answer)
    assert (answer.code, found["clock"], found["folder"]) == (1, (False, "error"), (False, "warning"))
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert checks(command("doctor", "--json"))["database"] == (False, "error")
    monkeypatch.setenv("CANDLES", "nowhere.csv")
    assert checks(command("doctor", "--json"))["candles"] == (False, "error")


def test_doctor_names_a_wrong_setting(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_NUM_GRIDS", "many")
    answer = command("doctor", "--json")
    assert (answer.code, checks(answer)["settings"]) == (1, (False, "error"))


def test_newer_database_is_refused_by_both_names(command: Command, home: Path) -> None:
    command("init")
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    answer = command("status")
    assert (answer.code, "9999" in answer.err, "0002" in answer.err) == (1, True, True)


def test_books_verify(traded: Command) -> None:
    answer = traded("ledger", "verify", "--json")
    assert answer.code == 0
    assert set(checks(answer)) == {"running balances", "double entry", "profit of btc-usdt", "venue paper"}
    audit = traded("audit", "verify", "--json")
    assert (audit.code, checks(audit)) == (0, {"audit chain": (True, "info")})
    assert "audit chain" in traded("audit", "verify").out


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ("UPDATE ledger_balance SET amount = amount + 1 WHERE account = 'bot:btc-usdt'", "running balances"),
        ("UPDATE ledger SET amount = amount + 1 WHERE id = 1", "double entry"),
        ("UPDATE fill SET realised = realised + 1", "profit of btc-usdt"),
        ("UPDATE ledger_balance SET amount = amount + 1 WHERE account = 'wallet:paper'", "venue paper"),
    ],
)
def test_changed_books_are_found(traded: Command, home: Path, change: str, wrong: str) -> None:
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute(change)
    answer = traded("ledger", "verify", "--json")
    assert (answer.code, checks(answer)[wrong]) == (1, (False, "error"))


def test_changed_log_is_found(command: Command, home: Path) -> None:
    command("init")
    with closing(sqlite3.connect(database(home))) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET detail = ?", (json.dumps({}),))
    answer = command("audit", "verify", "--json")
    assert (answer.code, checks(answer)) == (1, {"audit chain": (False, "error")})


def test_every_command_has_help(command: Command) -> None:
    words = ("init", "up", "grid", "run", "status", "orders", "trades", "doctor", "stop", "pause", "resume",
             "bot", "ledger", "audit")  # fmt: skip
    for word in words:
        answer = command(word, "--help")
        assert (answer.code, "Usage" in answer.out) == (0, True)
    assert all(word in command("--help").out for word in words)
    assert command().out == command("--help").out
    assert command("--version").out.startswith("cryptotrader ")
