"""`cryptotrader grid`: the golden case, the shape of the document, the ladder, and its speed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deployments.command_line import GOLDEN, SWING, Answer, changed, swing, write_candles

Command = Callable[..., Answer]
ONLY_WHERE_NEEDED = ("prefect", "numpy", "sqlalchemy", "ccxt", "pyarrow", "rich", "pydantic_settings")


def test_golden_case(command: Command) -> None:
    answer = command("grid", *GOLDEN, "--json")
    assert (answer.code, answer.err) == (0, "")
    document = answer.document
    assert document["levels"] == ["24323.5", "25843.7", "27363.9", "28884.1", "30404.3", "31924.5", "33444.8"]
    assert document["gap"] == "31924.5"
    assert document["quantity"] == "0.00059154"
    assert document["start_quantity"] == "0.00059214"
    assert document["net_return_min"] == "0.0455275366818587605"
    assert document["net_return_max"] == "0.0603752931814911505"


def test_document_has_every_key(command: Command) -> None:
    document = command("grid", *GOLDEN, "--json").document
    assert list(document) == [
        "levels", "gap", "quantity", "net_return_min", "net_return_max", "start_quantity", "orders", "waiting",
        "min_investment", "max_grids", "resolution_ratio", "warnings",
    ]  # fmt: skip
    assert document["orders"][-1] == {"cell": 5, "side": "sell", "price": "33444.8", "quantity": "0.00059154"}
    assert [order["cell"] for order in document["orders"]] == [0, 1, 2, 3, 4, 5]
    assert (document["waiting"], document["resolution_ratio"], document["warnings"]) == ([], None, [])


def test_smallest_investment_is_enough(command: Command) -> None:
    least = command("grid", *GOLDEN, "--json").document["min_investment"]
    assert command("grid", *changed(GOLDEN, investment=least), "--json").code == 0


def test_most_grids_pass_and_one_more_does_not(command: Command) -> None:
    most = command("grid", *GOLDEN, "--json").document["max_grids"]
    assert command("grid", *changed(GOLDEN, grids=str(most)), "--json").code == 0
    assert command("grid", *changed(GOLDEN, grids=str(most + 1)), "--json").code == 2


def test_equal_quote_lists_quantities(command: Command) -> None:
    quantities = command("grid", *GOLDEN, "--sizing", "quote", "--json").document["quantity"]
    assert len(quantities) == 6
    assert quantities[0] > quantities[-1]


def test_cash_start_leaves_cells_waiting(command: Command) -> None:
    document = command("grid", *GOLDEN, "--start", "cash", "--json").document
    assert (document["waiting"], document["start_quantity"]) == ([5], "0")


def test_price_above_all_levels_has_no_gap(command: Command) -> None:
    document = command("grid", *changed(GOLDEN, price="40000"), "--json").document
    assert document["gap"] is None
    assert "outside the range" in document["warnings"][0]


def test_money_has_no_exponent(command: Command) -> None:
    flags = changed(GOLDEN, lower="20000", upper="30000", price="25000", investment="1e4", grids="10")
    document = command("grid", *flags, "--json").document
    assert document["levels"][0] == "20000"
    assert "E" not in document["quantity"]


def test_candles_give_price_and_resolution(command: Command, tmp_path: Path) -> None:
    file = write_candles(tmp_path / "swing.csv", swing(2))
    document = command("grid", *SWING, "--candles", str(file), "--json").document
    assert document["gap"] == "102"
    assert document["resolution_ratio"] == "0.25"


def test_built_in_units_of_a_known_symbol(command: Command) -> None:
    flags = ("--symbol", "ETH/USDT", "--lower", "2000", "--upper", "3000", "--grids", "10", "--price", "2500")
    assert command("grid", *flags, "--investment", "1000", "--json").document["levels"][1] == "2100"


def test_unknown_symbol_with_its_units(command: Command) -> None:
    assert command("grid", "--symbol", "DOGE/USDT", *SWING, "--price", "100", "--json").code == 0


def test_ladder_marks_the_price(command: Command) -> None:
    answer = command("grid", *GOLDEN)
    lines = answer.out.splitlines()
    marked = next(number for number, line in enumerate(lines) if "price" in line)
    assert "30478.1" in lines[marked]
    assert "31924.5" in lines[marked - 1]
    assert "gap" in lines[marked - 1]
    assert "30404.3" in lines[marked + 1]
    assert "BUY" in lines[marked + 1]
    assert "0.00059214 BTC" in answer.out


def test_ladder_says_what_to_be_careful_about(command: Command) -> None:
    assert "Careful" in command("grid", *changed(GOLDEN, price="40000")).out


def test_loads_nothing_that_is_slow() -> None:
    program = (
        "import sys; from deployments.cli import main; code = main(sys.argv[1:]);"
        f"sys.exit(code or ','.join(m for m in {ONLY_WHERE_NEEDED!r} if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program, "grid", *GOLDEN, "--json"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_program_starts_by_its_module(word: str) -> None:
    done = subprocess.run([sys.executable, "-m", "deployments.cli", word], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "cryptotrader" in done.stdout
