"""A grid laid out: the golden case, gap and sizes, start modes, and what a careful trader is warned of."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cryptotrader.core.grid.config import Sizing, StartMode, StartOutside
from cryptotrader.core.grid.plan import PlannedOrder, market_cents, net_return, plan_grid
from cryptotrader.core.market import FeeIn, Side
from tests.core.grids import (
    CONFIG,
    MARKET,
    PRICE,
    Q,
)

BUY, SELL = Side.BUY, Side.SELL


GOLDEN_MARKET = replace(MARKET, tick_size=Decimal("0.1"), lot_step=Decimal("1e-8"))
GOLDEN = replace(CONFIG, lower=Decimal("24323.5"), upper=Decimal("33444.8"), investment=Decimal(100))
GOLDEN_LEVELS = tuple(map(Decimal, ("24323.5", "25843.7", "27363.9", "28884.1", "30404.3", "31924.5", "33444.8")))


def planned(market=MARKET, price=PRICE, **changes):
    return plan_grid(replace(CONFIG, **changes), market, Decimal(price))


def golden(**changes):
    return plan_grid(replace(GOLDEN, **changes), GOLDEN_MARKET, Decimal("30478.1"))


def test_golden_levels_and_gap():
    plan = golden()
    assert (plan.levels, plan.gap, plan.levels[plan.gap]) == (GOLDEN_LEVELS, 5, Decimal("31924.5"))


def test_golden_returns_to_eighteen_digits():
    returns = golden().net_returns
    digits = Decimal("1e-19")
    assert min(returns).quantize(digits) == returns[5].quantize(digits) == Decimal("0.0455275366818587605")
    assert max(returns).quantize(digits) == returns[0].quantize(digits) == Decimal("0.0603752931814911505")


def test_golden_sizes_by_our_formula():
    plan = golden()
    assert (set(plan.quantities), plan.start_quantity) == ({Decimal("0.00059154")}, Decimal("0.00059214"))


def test_golden_orders_after_the_start():
    unit = Decimal("0.00059154")
    buys = tuple(PlannedOrder(i, BUY, GOLDEN_LEVELS[i], unit) for i in range(5))
    assert golden().orders() == (*buys, PlannedOrder(5, SELL, Decimal("33444.8"), unit))


# ---- gap and sizes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "gap"),
    [("40000", 0), ("48000", 0), ("48000.01", 1), ("60000", 3), ("60000.01", 4), ("72000", 6), ("72000.01", 6)],
)
def test_gap_is_first_level_at_or_above(price, gap):
    assert planned(price=price).gap == gap


def test_equal_base_follows_the_formula():
    plan = planned()
    unit = Decimal(48000 + 52000 + 56000 + 60000) + 2 * PRICE * Decimal("1.001") * Decimal("1.001")
    assert plan.quantities == (MARKET.floor_quantity(10_000 * Decimal("0.99") / unit),) * 6 == (Q,) * 6
    assert plan.start_quantity == Decimal("0.05876") == MARKET.ceil_quantity(2 * Q / Decimal("0.999"))


def test_equal_quote_shares_the_investment():
    plan = planned(sizing=Sizing.QUOTE)
    assert (
        plan.quantities
        == tuple(map(Decimal, ("0.03437", "0.03173", "0.02946", "0.02750", "0.02578", "0.02426")))
        == tuple(MARKET.floor_quantity(Decimal(9900) / 6 / low) for low in plan.levels[:-1])
    )
    assert plan.start_quantity == Decimal("0.05010")  # (0.02578 + 0.02426) / 0.999, up to the lot


@pytest.mark.parametrize(
    ("fee_in", "start"), [(FeeIn.BASE, "0.05876"), (FeeIn.QUOTE, "0.0587"), (FeeIn.THIRD, "0.0587")]
)
def test_start_is_grossed_up_for_base_fees(fee_in, start):
    assert planned(replace(MARKET, fee_in=fee_in)).start_quantity == Decimal(start)


def test_reserve_and_slippage_shrink_the_size():
    assert planned(reserve=Decimal(0)).quantities[0] == Decimal("0.02965")
    assert planned(slippage=Decimal("0.05")).quantities[0] == Decimal("0.02884")


def test_quantity_asked_for_is_taken():
    plan = planned(quantity=Decimal("0.01"), investment=None)
    assert (plan.quantities, plan.investment) == ((Decimal("0.01"),) * 6, Decimal("3406.49"))
    assert planned(quantity=Decimal("0.01")).investment == 10_000


def test_cost_stays_within_the_investment():
    assert planned().cost == Decimal("9998.04")
    assert planned(sizing=Sizing.QUOTE).cost == Decimal("9730.27")


@pytest.mark.parametrize(
    ("fee_in", "expected"), [(FeeIn.BASE, "0.00798101"), (FeeIn.THIRD, "0.00798101"), (FeeIn.QUOTE, "0.00798202")]
)
def test_net_return_knows_its_fee_asset(fee_in, expected):
    returned = net_return(replace(MARKET, fee_in=fee_in), Decimal(100), Decimal(101))
    assert returned.quantize(Decimal("1e-8")) == Decimal(expected)


def test_step_of_twice_the_fee_breaks_even():
    assert net_return(MARKET, Decimal(1_000_000), Decimal(1_002_003)) < 0
    assert net_return(MARKET, Decimal(1_000_000), Decimal(1_002_004)) > 0


@pytest.mark.parametrize(
    ("amount", "rounded"), [("10.001", "10.01"), ("10", "10.00"), ("9.999999991", "10.00000000"), ("0.5", "0.50000000")]
)
def test_money_is_rounded_up_for_people(amount, rounded):
    assert str(market_cents(Decimal(amount))) == rounded


# ---- start modes -----------------------------------------------------------------------------------------------------


def sides(plan):
    return "".join("B" if order.side is BUY else "S" for order in plan.orders())


@pytest.mark.parametrize(
    ("start", "holdings", "start_quantity", "orders", "waiting"),
    [
        (StartMode.MARKET, "0", "0.05876", "BBBBSS", ()),
        (StartMode.LIMIT, "0", "0.05876", "BBBBSS", ()),
        (StartMode.CASH, "0", "0", "BBBB", (4, 5)),
        (StartMode.EXISTING, "0", "0", "BBBB", (4, 5)),
        (StartMode.EXISTING, "0.02934", "0", "BBBB", (4, 5)),
        (StartMode.EXISTING, "0.02935", "0", "BBBBS", (5,)),
        (StartMode.EXISTING, "0.0587", "0", "BBBBSS", ()),
        (StartMode.EXISTING, "3", "0", "BBBBSS", ()),
    ],
)
def test_start_mode_decides_who_waits(start, holdings, start_quantity, orders, waiting):
    plan = planned(start=start, holdings=Decimal(holdings))
    assert (plan.start_quantity, sides(plan), plan.waiting()) == (Decimal(start_quantity), orders, waiting)


def test_orders_rest_at_all_levels_but_the_gap():
    levels = tuple(Decimal(price) for price in range(48_000, 72_001, 4_000))
    buys = tuple(PlannedOrder(i, BUY, levels[i], Q) for i in range(4))
    assert planned().orders() == (*buys, PlannedOrder(4, SELL, levels[5], Q), PlannedOrder(5, SELL, levels[6], Q))


# ---- warnings --------------------------------------------------------------------------------------------------------


def test_comfortable_grid_has_no_warnings():
    assert planned().warnings() == ()


def test_fees_over_half_the_step_warn():
    plan = planned(lower=Decimal(60_000), upper=Decimal(61_600), num_grids=8)
    assert plan.warnings() == ("Fees eat over half of the gross step: cell 7 earns 0.1252% of 0.3257%.",)


@pytest.mark.parametrize(
    ("outside", "does"), [(StartOutside.WAIT, "waits"), (StartOutside.START, "starts all the same")]
)
@pytest.mark.parametrize("price", [47_999, 72_001])
def test_price_outside_the_range_warns(price, outside, does):
    assert planned(price=price, start_outside=outside).warnings() == (
        f"The price {price} is outside the range 48000.00 .. 72000.00: the bot {does}.",
    )
