"""Units and rounding: prices in ticks, quantities in lots, always away from more risk."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.market import FeeIn, decimal_from
from cryptotrader.core.orders import Balance, Ticker
from cryptotrader.errors import InputRefused
from tests.core.grids import MARKET, bounded

AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=9)


def refusal(call, *args, **named):
    """Return field, value, message and hint of a refusal."""
    with pytest.raises(InputRefused) as caught:
        call(*args, **named)
    refused = caught.value
    return refused.field, refused.value, refused.message, refused.hint


@pytest.mark.parametrize(
    ("text", "number"), [(" 1.50 ", "1.50"), ("1e-8", "1E-8"), (7, "7"), (0.1, "0.1"), (Decimal("2.0"), "2.0")]
)
def test_number_is_read_digit_by_digit(text, number):
    assert str(decimal_from(text, field="lower")) == number


@pytest.mark.parametrize("text", ["", "abc", "1,5", "0x10", None])
def test_text_without_number_is_refused(text):
    message = f"lower is {text!r}, which is not a number."
    assert refusal(decimal_from, text, field="lower") == ("lower", str(text), message, "")


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-inf"])
def test_number_without_end_is_refused(text):
    message = f"upper is {text!r}, which is not a finite number."
    assert refusal(decimal_from, text, field="upper") == ("upper", text, message, "")


def test_symbol_names_base_and_quote():
    assert (MARKET.base, MARKET.quote) == ("BTC", "USDT")


@given(st.integers(1, 10**12), st.sampled_from(["0.01", "0.5", "1", "1e-8", "0.025"]))
@bounded(100)
def test_ticks_survive_the_round_trip(ticks, tick_size):
    market = replace(MARKET, tick_size=Decimal(tick_size))
    assert market.ticks(market.price(ticks)) == ticks


def test_price_between_ticks_names_both_neighbours():
    assert refusal(MARKET.ticks, Decimal("60000.005"), field="lower") == (
        "lower", "60000.005", "lower 60000.005 is not on the tick of BTC/USDT, 0.01.", "Use 60000.00 or 60000.01.",
    )  # fmt: skip


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_price_that_is_none_is_refused(price):
    message = f"price is {price}; a price is a positive number."
    assert refusal(MARKET.ticks, Decimal(price)) == ("price", price, message, "")


@given(AMOUNTS, st.sampled_from(["0.00001", "0.001", "1", "0.25", "0.003"]))
@bounded(200)
def test_rounding_goes_to_the_next_step(amount, step):
    market = replace(MARKET, tick_size=Decimal(step), lot_step=Decimal(step))
    floor, ceil = market.floor_quantity(amount), market.ceil_quantity(amount)
    assert (market.floor_price(amount), market.ceil_price(amount)) == (floor, ceil)
    assert floor % market.lot_step == ceil % market.lot_step == 0
    assert floor <= amount < floor + market.lot_step
    assert ceil - market.lot_step < amount <= ceil


@pytest.mark.parametrize(
    ("quantity", "price", "sellable"),
    [
        ("0.0001", "50000", True),  # 5 USDT, exactly the minimum
        ("0.0001", "49999.99", False),
        ("0.00001", "500000", True),  # one lot, exactly
        ("0.000009", "10000000", False),
    ],
)
def test_order_passes_lot_and_notional(quantity, price, sellable):
    assert MARKET.is_sellable(Decimal(quantity), Decimal(price)) is sellable


@pytest.mark.parametrize(("fee_in", "lost"), [(FeeIn.BASE, "0.0008"), (FeeIn.QUOTE, "0"), (FeeIn.THIRD, "0")])
def test_only_base_fees_shrink_a_buy(fee_in, lost):
    market = replace(MARKET, maker_fee=Decimal("0.0008"), fee_in=fee_in)
    assert market.base_fee_on_buy == Decimal(lost)


def test_balance_is_free_and_locked():
    assert Balance(free=Decimal("1.5"), locked=Decimal("0.25")).total == Decimal("1.75")


def test_mid_lies_between_bid_and_ask():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert Ticker(Decimal("100.01"), Decimal("100.02"), Decimal(99), at).mid == Decimal("100.015")
