"""What a grid is refused for, in whose name, and hints that really work."""

from dataclasses import replace
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cryptotrader.core.grid.config import Sizing, Spacing, StartMode, StartOutside
from cryptotrader.core.grid.plan import max_grids, min_investment, plan_grid
from cryptotrader.core.market import FeeIn
from cryptotrader.errors import GridRefused, InputRefused
from tests.core.grids import (
    CONFIG,
    MARKET,
    PRICE,
    bounded,
)

NOTHING_WORKS = "No number of grids works with these settings: widen the range or raise the investment."


def planned(market=MARKET, price=PRICE, **changes):
    return plan_grid(replace(CONFIG, **changes), market, Decimal(price))


def refusal(market=MARKET, price=PRICE, **changes):
    """Return field, value, message and hint of a refused grid."""
    with pytest.raises(InputRefused) as caught:
        planned(market, price, **changes)
    refused = caught.value
    return refused.field, refused.value, refused.message, refused.hint


def passes(config, market, price):
    try:
        plan_grid(config, market, price)
    except GridRefused:
        return False
    return True


NO_FRACTION = "which is not a fraction from 0 to 1."


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        ("lower", "72000", "lower 72000 is not below upper 72000.", "Swap them, or widen the range."),
        ("lower", "1.005", "lower 1.005 is not on the tick of BTC/USDT, 0.01.", "Use 1.00 or 1.01."),
        ("upper", "NaN", "upper is NaN; a price is a positive number.", ""),
        ("price", "0", "price is 0; a price is a positive number.", ""),
        ("price", "Infinity", "price is Infinity; a price is a positive number.", ""),
        ("investment", "0", "investment is 0; it must be positive.", ""),
        ("quantity", "-1", "quantity is -1; it must be positive.", ""),
        ("trigger_price", "-0.5", "trigger_price is -0.5; it must be positive.", ""),
        ("stop_loss_price", "0", "stop_loss_price is 0; it must be positive.", ""),
        ("take_profit_price", "NaN", "take_profit_price is NaN; it must be positive.", ""),
        ("holdings", "-1", "holdings are -1.", "Use >= 0."),
        ("quantity", "1.000011", "quantity 1.000011 is not on the lot step of BTC/USDT, 0.00001.", "Use 1.00002."),
        ("slippage", "1", f"slippage is 1, {NO_FRACTION}", "0.02 means 2 %."),
        ("reserve", "-0.01", f"reserve is -0.01, {NO_FRACTION}", "0.02 means 2 %."),
    ],
)
def test_value_that_no_grid_can_have_is_refused(name, value, message, hint):
    assert refusal(**{name: Decimal(value)}) == (name, value, message, hint)


def test_single_cell_is_refused():
    assert refusal(num_grids=1) == ("grids", "1", "1 grids are too few.", "Use 2 or more.")


def test_missing_investment_is_refused():
    assert refusal(investment=None) == ("investment", "", "investment is missing.", "Give --investment or --quantity.")


@pytest.mark.parametrize("name", ["maker_fee", "taker_fee"])
def test_fee_that_is_no_fraction_is_refused(name):
    market = replace(MARKET, **{name: Decimal(1)})
    assert refusal(market) == (name, "1", f"{name} is 1, {NO_FRACTION}", "0.02 means 2 %.")


@pytest.mark.parametrize("asset", ["BTC", "USDT"])
def test_third_asset_must_be_a_third(asset):
    market = replace(MARKET, fee_in=FeeIn.THIRD, third_asset=asset)
    message = f"fees in {asset} on BTC/USDT are not fees in a third asset."
    assert refusal(market) == ("fee_in", "third", message, "Take them in base or quote.")


def test_levels_that_coincide_are_refused():
    assert refusal(lower=Decimal("71999.97")) == (
        "grids", "6", "6 grids do not fit between 71999.97 and 72000 on a tick of 0.01: levels coincide.",
        NOTHING_WORKS,
    )  # fmt: skip
    field, value, _, hint = refusal(replace(MARKET, tick_size=Decimal(8000)))
    assert (field, value, hint) == ("grids", "6", "At most --grids 3 pass every check with these settings.")


def test_step_that_fees_eat_is_refused():
    assert refusal(lower=Decimal(60_000), upper=Decimal(60_600)) == (
        "grids", "6",
        "fees eat the step: cell 5, 60500.00 to 60600.00, would return -0.0349% after fees of 0.1000% on each side.",
        "At most --grids 4 pass every check with these settings.",
    )  # fmt: skip


def test_step_that_breaks_even_is_refused():
    market = replace(MARKET, fee_in=FeeIn.QUOTE, maker_fee=Decimal("0.2"))
    changes = {"lower": Decimal(40_000), "upper": Decimal(90_000), "num_grids": 2, "spacing": Spacing.GEOMETRIC}
    field, _, message, hint = refusal(market, **changes)  # 60,000 / 40,000 = 1.2 / 0.8: exactly nothing is left
    assert (field, hint) == ("grids", NOTHING_WORKS)
    assert "cell 0, 40000.00 to 60000.00, would return 0.0000%" in message


def test_more_orders_than_may_rest_are_refused():
    assert refusal(num_grids=201) == (
        "grids", "201", "201 grids rest 201 orders; BTC/USDT takes at most 200.",
        "At most --grids 166 pass every check.",
    )  # fmt: skip
    assert refusal(replace(MARKET, max_orders=5))[3] == "At most --grids 5 pass every check."
    assert refusal(num_grids=201, investment=Decimal(1))[3] == "No number of grids works with these settings."


def test_absurd_number_of_grids_is_refused_at_once():
    begun = process_time()
    assert refusal(num_grids=10**9, spacing=Spacing.GEOMETRIC)[:2] == ("grids", "1000000000")
    assert process_time() - begun < 1.5


def test_order_that_may_be_too_small_is_refused():
    assert refusal(investment=Decimal(10)) == (
        "investment", "10",
        "investment 10 is too small for 6 grids: cell 0 would buy 0.00002 BTC (0.96 USDT) and sell 0.00001; "
        "an order needs 5.25 USDT and 0.00001 BTC.",
        "--investment 40.88 is enough for 6 grids.",
    )  # fmt: skip


def test_poor_investment_is_told_fewer_grids():
    assert refusal(investment=Decimal(30))[3] == (
        "--investment 40.88 is enough for 6 grids; at most --grids 4 pass every check with these settings."
    )


def test_first_sell_counts_after_its_fee():
    market = replace(MARKET, lot_step=Decimal("0.0001"), min_notional=Decimal("5.5"))
    field, _, message, _ = refusal(market, quantity=Decimal("0.0001"), investment=None)
    assert (field, "(4.80 USDT) and sell 0.0000;" in message) == ("quantity", True)
    free = replace(market, fee_in=FeeIn.QUOTE, min_notional=Decimal("4.5"))
    assert planned(free, quantity=Decimal("0.0001"), investment=None).quantities[0] == Decimal("0.0001")


def test_margin_on_the_minimum_is_kept():
    market = replace(MARKET, fee_in=FeeIn.QUOTE, min_notional=Decimal(48))
    assert refusal(market, quantity=Decimal("0.00104"), investment=None)[0] == "quantity"  # 49.92 < 1.05 x 48
    assert planned(market, quantity=Decimal("0.00105"), investment=None).quantities[0] == Decimal("0.00105")


def test_quantity_beyond_the_investment_is_refused():
    assert refusal(quantity=Decimal("0.05")) == (
        "quantity", "0.05", "quantity 0.05 in 6 cells costs 17032.44 USDT, more than the investment 10000.",
        "At most --grids 3 pass every check with these settings.",
    )  # fmt: skip


def test_start_outside_is_refused_when_asked():
    assert refusal(price=72_001, start_outside=StartOutside.REFUSE) == (
        "price", "72001", "the price 72001 is outside the range 48000 .. 72000.", NOTHING_WORKS,
    )  # fmt: skip
    assert planned(price=72_000, start_outside=StartOutside.REFUSE).is_inside


# ---- hints that hold -------------------------------------------------------------------------------------------------


@st.composite
def requests(draw):
    """Draw a grid that may or may not pass, its market and a price, with up to 25 grids tried."""
    lower = draw(st.integers(1000, 5000))
    market = replace(
        MARKET, tick_size=Decimal("0.1"), lot_step=draw(st.sampled_from([Decimal("0.001"), Decimal("0.00001")])),
        fee_in=draw(st.sampled_from(FeeIn)), max_orders=25,
    )  # fmt: skip
    config = replace(
        CONFIG, lower=market.price(lower), upper=market.price(lower + draw(st.integers(3, 2000))),
        num_grids=draw(st.integers(2, 25)), investment=Decimal(draw(st.integers(5, 500))),
        spacing=draw(st.sampled_from(Spacing)), sizing=draw(st.sampled_from(Sizing)),
        start=draw(st.sampled_from(StartMode)), holdings=Decimal(draw(st.integers(0, 2))),
    )  # fmt: skip
    return config, market, market.price(lower + draw(st.integers(-100, 2000)))


@given(requests())
@bounded(60)
def test_largest_number_of_grids_is_the_largest(request):
    config, market, price = request
    grids = max_grids(config, market, price)
    passing = [n for n in range(2, market.max_orders + 1) if passes(replace(config, num_grids=n), market, price)]
    assert grids == max(passing, default=None)


@given(requests())
@bounded(150)
def test_smallest_investment_is_enough_and_no_less(request):
    config, market, price = request
    enough = min_investment(config, market, price)
    assume(enough is not None)
    assume(passes(replace(config, investment=enough * 100), market, price))  # nothing else is wrong with it
    assert passes(replace(config, investment=enough), market, price)
    assert not passes(replace(config, investment=enough * Decimal("0.99")), market, price)


def test_smallest_investment_pays_for_a_quantity():
    asked = replace(CONFIG, quantity=Decimal("0.01"))
    assert min_investment(asked, MARKET, PRICE) == Decimal("3406.49") == planned(quantity=Decimal("0.01")).cost


def test_no_investment_separates_levels_that_coincide():
    assert min_investment(replace(CONFIG, lower=Decimal("71999.97")), MARKET, PRICE) is None


@pytest.mark.parametrize(("upper", "grids"), [(72_000, 200), (61_000, 8), (48_001, None)])
def test_search_for_geometric_grids_is_fast(upper, grids):
    lower = Decimal(48_000) if upper != 61_000 else Decimal(60_000)
    config = replace(CONFIG, lower=lower, upper=Decimal(upper), spacing=Spacing.GEOMETRIC, num_grids=200)
    begun = process_time()
    found = max_grids(config, MARKET, lower)
    assert process_time() - begun < 1.5  # measured: at most 0.2 s
    assert found == grids
