"""Several bots from one file: all of them, or none."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from cryptotrader.core.grid.config import GridConfig, Spacing, StartMode
from cryptotrader.errors import InputRefused
from cryptotrader.execution.bots_file import read_bots_file
from cryptotrader.execution.commands import NewBot, add_bots, list_bots
from cryptotrader.execution.trading_pass import run_pass
from cryptotrader.store.audit import verify_audit
from cryptotrader.store.books import holdings_of
from tests.execution.world import World, alerts

BTC = """
[[bot]]
name = "btc"
symbol = "BTC/USDT"
lower = 900
upper = "1200"
grids = 6
investment = 1000.10
"""
ETH = """
[[bot]]
name = "eth"
symbol = "ETH/USDT"
lower = 900
upper = 1200
grids = 4
investment = 500
spacing = "geometric"
start = "cash"
compound = true
stop_loss = 800.5
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "bots.toml"
    path.write_text(text)
    return path


def test_a_file_is_read_exactly(tmp_path: Path) -> None:
    eth = GridConfig(
        "ETH/USDT", Decimal(900), Decimal(1200), 4, Decimal(500), spacing=Spacing.GEOMETRIC, start=StartMode.CASH,
        compound=True, stop_loss_price=Decimal("800.5"),
    )  # fmt: skip
    btc = GridConfig("BTC/USDT", Decimal(900), Decimal(1200), 6, Decimal("1000.10"))
    assert read_bots_file(file(tmp_path, BTC + ETH)) == (NewBot("btc", btc), NewBot("eth", eth))


@pytest.mark.parametrize(
    ("text", "field", "why"),
    [
        (BTC + "lowest = 1\n", "lowest", "lowest of bot 'btc' is not known"),
        (BTC + "num_grids = 1\n", "num_grids", "num_grids of bot 'btc' is not known"),
        (BTC + "laid_out_at = 1\n", "laid_out_at", "is not known"),
        (BTC + "reserve = [1]\n", "reserve", "reserve of bot 'btc' is a list"),
        (BTC + "reserve = nan\n", "reserve", "bot 'btc': reserve is 'NaN', which is not a finite number"),
        (BTC + 'start = "soon"\n', "start", "bot 'btc': start is 'soon'"),
        (BTC.replace("lower = 900", ""), "lower", "bot 'btc': lower is missing"),
        (BTC.replace('name = "btc"', ""), "name", "bot 1 has no name"),
        (BTC + BTC, "name", "two bots are called 'btc'"),
        ("account = 1\n" + BTC, "account", "account is not known"),
        ("", "file", "it names no bot"),
        ("bot = 3", "file", "it names no bot"),
        ("[[bot", "file", "it is no TOML"),
    ],
)
def test_a_file_that_cannot_be_is_refused(tmp_path: Path, text: str, field: str, why: str) -> None:
    with pytest.raises(InputRefused, match=r"bots\.toml: ") as refused:
        read_bots_file(file(tmp_path, text))
    assert why in refused.value.message
    assert refused.value.field == field


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="cannot be read"):
        read_bots_file(tmp_path / "none.toml")


def test_all_bots_of_a_file_trade(world: World, tmp_path: Path) -> None:
    world.others = ("ETH/USDT",)
    desk = world.start_process()
    lines = add_bots(desk, read_bots_file(file(tmp_path, BTC + ETH)), account="paper")
    assert lines == list_bots(desk)
    assert [(line.name, line.symbol) for line in lines] == [("btc", "BTC/USDT"), ("eth", "ETH/USDT")]
    for line in lines:
        assert run_pass(desk.db, desk.venue("paper"), desk.runtime, line.name).tally.placed > 0
    with desk.db.reading() as session:
        assert verify_audit(session) == 2
        assert holdings_of(session, "wallet:paper") == {"BNB": Decimal(1), "USDT": Decimal("499.90")}


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("investment = 500", "investment = 1000", "eth: paper has 999.90 USDT that no bot owns; eth needs 1000"),
        ("upper = 1200", "upper = 800", "eth: lower 900 is not below upper 800"),
        ('symbol = "ETH/USDT"', 'symbol = "BTC/USDT"', "eth: BTC/USDT on paper is traded by bot 'btc' already"),
        ('symbol = "ETH/USDT"', 'symbol = "SOL/USDT"', "eth: SOL/USDT does not trade here"),
        ('name = "eth"', 'name = "E T H"', "E T H: bot name 'E T H' cannot be used"),
    ],
)
def test_one_bad_bot_keeps_all_out(world: World, tmp_path: Path, old: str, new: str, why: str) -> None:
    world.others = ("ETH/USDT",)
    desk = world.start_process()
    with pytest.raises(InputRefused, match=why):
        add_bots(desk, read_bots_file(file(tmp_path, BTC + ETH.replace(old, new))), account="paper")
    assert (list_bots(desk), alerts(desk)) == ((), [])
    with desk.db.reading() as session:
        assert (verify_audit(session), holdings_of(session, "wallet:paper")) == (0, {})
