"""Commands of a person: bots added, changed, closed; orders resolved, adopted; money declared; the database moved."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderRequest, OrderType
from cryptotrader.runtime import Runtime
from deployments.cli.ready import open_ready_desk
from tests.deployments.command_line import Answer

Command = Callable[..., Answer]
BOT, WHY = "btc-usdt", ("--reason", "because")
STRANGER = "ctzzzzzz0a0B000001"


@pytest.fixture
def traded(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """An installation whose bot has done a round trip; its market stands still from then on."""
    monkeypatch.setenv("REPLAY_SPEED", "100000")
    assert command("run", "--cycles", "1").code == 0
    monkeypatch.setenv("REPLAY_SPEED", "1")
    return command


def database(home: Path) -> Path:
    return home / "btc-usdt-synthetic-7" / "trading.db"


def change_rows(home: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(database(home))) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


def place_by_hand(order_id: str, price: str, quantity: str) -> None:
    with open_ready_desk() as desk:
        now = Runtime().wall.now()
        desk.venue("paper").place_order(
            OrderRequest(order_id, "BTC/USDT", Side.BUY, OrderType.LIMIT, Decimal(price), Decimal(quantity), now)
        )


def open_order(command: Command) -> dict[str, str]:
    """Return the resting buy that is farthest from the price: it has not filled at the venue meanwhile."""
    return min(command("orders", "--open", "--json").document, key=lambda order: Decimal(order["price"]))


def config_of(home: Path) -> dict[str, str]:
    import json

    with closing(sqlite3.connect(database(home))) as connection:
        return json.loads(connection.execute("SELECT config FROM bot WHERE name = ?", (BOT,)).fetchone()[0])


def test_adds_a_bot_from_flags_and_from_a_file(command: Command, home: Path, tmp_path: Path) -> None:
    command("init")
    command("bot", "close", BOT, *WHY)
    grid = ("--lower", "20000", "--upper", "80000", "--grids", "10", "--investment", "1000", "--start", "cash")
    assert command("bot", "add", "one", *grid, "--json").document == [
        {"name": "one", "symbol": "BTC/USDT", "account": "paper", "mode": "paper"}
    ]
    assert command("bot", "add", "two", *grid, "--json").error["field"] == "symbol"
    assert command("bot", "close", "one", *WHY).code == 0
    (tmp_path / "bots.toml").write_text(
        '[[bot]]\nname = "three"\nsymbol = "BTC/USDT"\nlower = 20000\nupper = 80000\ngrids = 10\ninvestment = 900\n'
    )
    added = command("bot", "add", "--file", "bots.toml")
    assert (added.code, "three will trade BTC/USDT" in added.out) == (0, True)
    assert [line["name"] for line in command("bot", "list", "--json").document] == ["three"]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ((), "name"),
        (("x", "--file", "bots.toml"), "file"),
        (("--file", "none.toml"), "file"),
        (("x", "--lower", "1"), "upper"),
        (("x", "--tick", "1"), "tick"),
    ],
)
def test_add_refuses(command: Command, words: tuple[str, ...], field: str) -> None:
    command("init")
    answer = command("bot", "add", *words, "--json")
    assert (answer.code, answer.error["field"]) == (2, field)


def test_change_previews_then_applies(traded: Command, home: Path) -> None:
    before = config_of(home)
    words = ("bot", "change", BOT, "--grids", "8")
    shown = traded(*words, "--preview", "--json").document
    assert list(shown) == [
        "bot", "applied", "price", "cancel", "place", "wait", "kept", "moves", "unheld_base", "unheld_cost", "loss",
        "investment_before", "investment_after", "capital_need", "quote_needed", "quote_owned", "quote_lacking",
    ]  # fmt: skip
    assert (shown["applied"], shown["capital_need"], len(shown["cancel"]) > 0) == (False, "0", True)
    assert config_of(home) == before
    for word in ("cancel", "place", "cell", "would change"):
        assert word in traded(*words, "--preview").out
    assert traded(*words, "--apply", *WHY, "--json").document["applied"] is True
    after = config_of(home)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"num_grids", "laid_out_at"}
    assert traded("ledger", "verify").code == 0


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ((BOT,), "preview"),
        ((BOT, "--preview", "--apply"), "preview"),
        ((BOT, "--apply"), "reason"),
        (("nobody", "--preview"), "bot"),
        ((BOT, "--preview", "--grids", "1"), "grids"),
        ((BOT, "--preview", "--symbol", "ETH/USDT"), "symbol"),
        ((BOT, "--preview", "--lot", "1"), "tick"),
    ],
)
def test_change_refuses(command: Command, words: tuple[str, ...], field: str) -> None:
    command("init")
    answer = command("bot", "change", *words, "--json")
    assert (answer.code, answer.error["field"]) == (2, field)


def test_close_states_how_it_ended(command: Command) -> None:
    command("init")
    end = command("bot", "close", BOT, *WHY, "--sell", "--json").document
    assert list(end) == [
        "bot", "symbol", "account", "opened_at", "closed_at", "investment", "price", "fills", "cycles", "grid_profit",
        "inventory_pnl", "total_pnl", "hold_pnl", "equity", "fees", "holdings", "sold",
    ]  # fmt: skip
    assert (end["fills"], end["total_pnl"], end["holdings"]) == (0, "0", {"USDT": end["investment"]})
    assert command("bot", "close", BOT, *WHY, "--json").error["field"] == "bot"
    assert command("bot", "list", "--json").document == []
    assert command("ledger", "verify").code == 0


def test_resolves_an_order(traded: Command, home: Path) -> None:
    order_id = open_order(traded)["id"]
    resolve = ("orders", "resolve", order_id, "--as", "canceled", *WHY)
    assert traded(*resolve, "--json").error["field"] == "id"
    change_rows(home, "UPDATE intent SET state = 'quarantined' WHERE client_order_id = ?", order_id)
    assert "Cancel it at the exchange first" in traded(*resolve).err
    with open_ready_desk() as desk:
        desk.venue("paper").cancel_order("BTC/USDT", order_id)
    assert traded("orders", "resolve", order_id, "--as", "open", *WHY, "--json").error["field"] == "as"
    assert traded(*resolve, "--json").document == {"id": order_id, "state": "canceled"}
    assert order_id not in [order["id"] for order in traded("orders", "--open", "--json").document]


def test_adopts_a_forgotten_order(traded: Command, home: Path) -> None:
    order_id = open_order(traded)["id"]
    change_rows(home, "DELETE FROM intent WHERE client_order_id = ?", order_id)
    assert traded("orders", "adopt", "ctnone", *WHY, "--json").error["field"] == "id"
    assert traded("orders", "adopt", order_id, *WHY, "--json").document == {"bot": BOT, "adopted": [order_id]}
    assert order_id in [order["id"] for order in traded("orders", "--open", "--json").document]


def test_cancels_foreign_orders(command: Command) -> None:
    command("init")
    place_by_hand(STRANGER, "10000", "0.01")
    gone = {"symbol": "BTC/USDT", "cancelled": [STRANGER], "left": []}
    assert command("orders", "cancel-foreign", *WHY, "--json").document == gone
    assert command("orders", "cancel-foreign", *WHY).out == "Cancelled: none. Left: none.\n"


def test_declares_money(command: Command) -> None:
    command("init")
    declare = ("ledger", "declare", "--asset", "USDT", "--note", "test")
    assert command(*declare, "--amount", "0.5", "--json").document["wallet"] == "0.5"
    document = command(*declare, "--amount", "-0.5", "--json").document
    assert document == {"account": "paper", "asset": "USDT", "amount": "-0.5", "wallet": "0"}
    assert command("ledger", "verify").code == 0
    refused = command(*declare, "--amount", "-1e9", "--json")
    assert (refused.code, refused.error["field"], f"{BOT} owns" in refused.error["message"]) == (2, "amount", True)


def test_resume_brings_parked_cells_back(traded: Command, home: Path) -> None:
    order = open_order(traded)
    change_rows(home, "UPDATE cell SET state = 'parked' WHERE cell = ?", str(order["cell"]))
    (bot,) = traded("resume", *WHY, "--json").document["bots"]
    assert bot == {"name": BOT, "control": "active", "resumed_cells": [order["cell"]]}
    assert "trade again" not in traded("resume", *WHY).out


def test_moves_the_database(traded: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/moved/trading.db"
    fills = traded("trades", "--json").document
    report = traded("db", "migrate", "--to", url, "--json").document
    assert list(report) == ["source", "target", "revision", "rows", "total"]
    assert (report["target"], report["rows"]["fill"]) == (url, len(fills))
    assert traded("status", "--json").document["bots"][0]["control"] == "halted"
    again = traded("db", "migrate", "--to", url)
    assert (again.code, "is not empty" in again.err) == (2, True)
    monkeypatch.setenv("DATABASE_URL", url)
    assert traded("trades", "--json").document == fills
    assert traded("status", "--json").document["bots"][0]["control"] == "active"
    assert (traded("ledger", "verify").code, traded("audit", "verify").code) == (0, 0)


@pytest.mark.parametrize("url", ["mysql://root:geheim@h/d", "trading.db"])
def test_moving_refuses_other_databases(command: Command, url: str) -> None:
    command("init")
    answer = command("db", "migrate", "--to", url, "--json")
    assert (answer.code, answer.error["field"], "geheim" in answer.out) == (2, "to", False)
