"""A grid's settings to text and back, and what text is refused."""

from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.grid.config import (
    ForeignCancel,
    GridConfig,
    Sizing,
    Spacing,
    StartMode,
    StartOutside,
    read_config,
)
from cryptotrader.errors import GridRefused, InputRefused
from tests.core.grids import CONFIG, bounded

AMOUNT = st.decimals(min_value="1e-8", max_value=10**9, places=8)
MAYBE = st.none() | AMOUNT
LEAST = {"symbol": "BTC/USDT", "lower": "1", "upper": "2", "num_grids": "3"}


def refusal(record):
    """Return field, message and hint of a refused record."""
    with pytest.raises(InputRefused) as caught:
        read_config(record)
    return caught.value.field, caught.value.message, caught.value.hint


@given(
    st.builds(
        GridConfig, symbol=st.just("ETH/BTC"), lower=AMOUNT, upper=AMOUNT, num_grids=st.integers(2, 500),
        investment=MAYBE, spacing=st.sampled_from(Spacing), sizing=st.sampled_from(Sizing), quantity=MAYBE,
        start=st.sampled_from(StartMode), holdings=AMOUNT, slippage=AMOUNT, reserve=AMOUNT, trigger_price=MAYBE,
        stop_loss_price=MAYBE, take_profit_price=MAYBE, compound=st.booleans(),
        start_outside=st.sampled_from(StartOutside), on_foreign_cancel=st.sampled_from(ForeignCancel),
    )
)  # fmt: skip
@bounded(150)
def test_record_survives_the_round_trip(config):
    record = config.record()
    assert all(type(text) is str for text in record.values())
    assert read_config(record) == config


def test_record_leaves_out_what_is_unset():
    unset = {f.name for f in fields(GridConfig) if getattr(CONFIG, f.name) is None}
    assert {"quantity", "trigger_price", "stop_loss_price", "take_profit_price"} <= unset
    assert CONFIG.record().keys() == {f.name for f in fields(GridConfig)} - unset
    assert "investment" not in replace(CONFIG, investment=None).record()


def test_least_record_takes_the_defaults():
    assert read_config(LEAST) == GridConfig("BTC/USDT", Decimal(1), Decimal(2), 3, None)


@pytest.mark.parametrize("name", LEAST)
def test_missing_setting_is_named(name):
    record = {key: text for key, text in LEAST.items() if key != name}
    assert refusal(record) == (name, f"{name} is missing.", "Every grid needs it.")


def test_unknown_setting_is_named_with_all_known():
    known = sorted(f.name for f in fields(GridConfig))
    assert refusal({**LEAST, "grids": "3"}) == ("grids", "grids is not a grid setting.", f"Known: {known}.")


@pytest.mark.parametrize("text", ["3.0", "", "six", "1e3"])
def test_count_that_is_not_whole_is_refused(text):
    message = f"num_grids is {text!r}, which is not a whole number."
    assert refusal({**LEAST, "num_grids": text}) == ("num_grids", message, "")


@pytest.mark.parametrize("text", ["true", "1", "", "yes"])
def test_switch_that_is_neither_is_refused(text):
    assert refusal({**LEAST, "compound": text}) == ("compound", f"compound is {text!r}.", "Use True or False.")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("spacing", "arithmetic, geometric"),
        ("sizing", "base, quote"),
        ("start", "market, limit, existing, cash"),
        ("start_outside", "wait, start, refuse"),
        ("on_foreign_cancel", "park, replace"),
    ],
)
def test_word_that_is_no_choice_is_refused(name, words):
    assert refusal({**LEAST, name: "x"}) == (name, f"{name} is 'x'.", f"Use one of: {words}.")


@pytest.mark.parametrize("name", ["lower", "investment", "reserve", "stop_loss_price"])
def test_amount_that_is_no_number_is_refused(name):
    assert refusal({**LEAST, name: "much"}) == (name, f"{name} is 'much', which is not a number.", "")
    assert refusal({**LEAST, name: "NaN"}) == (name, f"{name} is 'NaN', which is not a finite number.", "")


def test_refusals_are_those_of_a_grid():
    with pytest.raises(GridRefused):
        read_config({})
