"""Plans as values: what is cancelled, placed, kept, and what waits, each with its reason."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cryptotrader.core.market import FeeIn, Side
from cryptotrader.core.orders import OrderType, Purpose
from cryptotrader.core.reconcile import Control, LiveOrder, Plan, Step, buy_cost, reconcile
from cryptotrader.core.strategy import Slot, Wanted
from tests.core.grids import EXIT, MARKET, START, cell_slot

BUY, SELL = Side.BUY, Side.SELL
UNKNOWN = "the outcome of its last order is not known yet"


def want(cell, side, price, quantity="0.1", *, kind=OrderType.POST_ONLY):
    slot = cell if isinstance(cell, Slot) else cell_slot(cell)
    return Wanted(slot, side, kind, Decimal(price), Decimal(quantity), f"wanted {side}")


def live(cell, side, price, quantity="0.1", *, filled="0", is_known=True):
    slot = cell if isinstance(cell, Slot) else cell_slot(cell)
    amounts = Decimal(price), Decimal(quantity), Decimal(filled)
    return LiveOrder(f"id-{slot.purpose}-{slot.cell}", slot, side, *amounts, is_known)


def step(order, reason, quantity="0.1"):
    return Step(order.slot, order.side, order.price, Decimal(quantity), reason)


def plan_of(wanted=(), orders=(), *, control=Control.ACTIVE, quote=1000, cooling=None, market=MARKET):
    return reconcile(wanted, orders, market=market, control=control, quote=Decimal(quote), cooling=cooling)


def test_nothing_wanted_nothing_live_is_quiet():
    plan = plan_of()
    assert (plan, plan.is_quiet) == (Plan(), True)


def test_missing_order_is_placed():
    buy = want(0, BUY, 90)
    plan = plan_of([buy])
    assert (plan, plan.is_quiet) == (Plan(place=(buy,)), False)


def test_wanted_order_that_rests_is_kept():
    buy = live(0, BUY, 90)
    plan = plan_of([want(0, BUY, 90)], [buy])
    assert (plan, plan.is_quiet) == (Plan(keep=(step(buy, "wanted buy"),)), True)


def test_part_filled_order_is_kept_for_its_rest():
    buy = live(0, BUY, 90, "0.3", filled="0.2")
    assert plan_of([want(0, BUY, 90)], [buy]) == Plan(keep=(step(buy, "wanted buy"),))


def test_order_without_a_wish_is_cancelled():
    buy = live(0, BUY, 90)
    plan = plan_of([], [buy])
    assert (plan, plan.is_quiet) == (Plan(cancel=((buy, "no longer wanted"),)), False)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (want(0, BUY, 91), "wanted now: buy 0.1 at 91"),
        (want(0, BUY, 90, "0.2"), "wanted now: buy 0.2 at 90"),
        (want(0, SELL, 90), "wanted now: sell 0.1 at 90"),
    ],
)
def test_changed_order_is_cancelled_before_replacement(changed, reason):
    buy = live(0, BUY, 90)
    assert plan_of([changed], [buy]) == Plan(cancel=((buy, reason),))


def test_market_order_keeps_while_prices_move():
    leaving = live(EXIT, SELL, 90)
    assert plan_of([want(EXIT, SELL, 88, kind=OrderType.MARKET)], [leaving]) == Plan(
        keep=(step(leaving, "wanted sell"),)
    )


def test_unknown_order_is_never_replaced():
    lost = live(0, BUY, 90, is_known=False)
    assert plan_of([want(0, SELL, 100)], [lost]) == Plan(wait=(step(lost, UNKNOWN),))
    assert plan_of([], [lost], control=Control.HALTED) == Plan(wait=(step(lost, UNKNOWN),))


def test_halted_keeps_and_places_nothing():
    buy, sell = live(0, BUY, 90), live(1, SELL, 110)
    fresh = want(2, SELL, 120)
    assert plan_of([want(0, BUY, 91), fresh], [buy, sell], control=Control.HALTED) == Plan(
        keep=(
            step(buy, "halted: nothing is placed or replaced"),
            step(sell, "halted: nothing is placed or replaced"),
        ),
        wait=(step(fresh, "halted: nothing is placed"),),
    )


def test_reducing_cancels_buys_and_sells_on():
    buy, sell = live(0, BUY, 90), live(1, SELL, 110)
    fresh_buy, fresh_sell = want(2, BUY, 80), want(3, SELL, 120)
    wanted = [want(0, BUY, 90), want(1, SELL, 110), fresh_buy, fresh_sell]
    assert plan_of(wanted, [buy, sell], control=Control.REDUCING) == Plan(
        cancel=((buy, "reducing: no buys"),),
        place=(fresh_sell,),
        keep=(step(sell, "wanted sell"),),
        wait=(step(fresh_buy, "reducing: no buys"),),
    )


def test_sells_go_first_then_start_then_nearest_buys():
    start = want(START, BUY, 95, kind=OrderType.LIMIT)
    low, high, dear, cheap = want(0, BUY, 80), want(1, BUY, 90), want(2, SELL, 110), want(3, SELL, 100)
    assert plan_of([low, high, start, dear, cheap]) == Plan(place=(cheap, dear, start, high, low))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("price", [100, 101])
def test_buy_waits_for_a_resting_own_sell(price, is_known):
    sell = live(1, SELL, 100, is_known=is_known)
    buy, below = want(0, BUY, price), want(2, BUY, 99)
    plan = plan_of([want(1, SELL, 100), buy, below], [sell])
    assert (plan.place, plan.wait[-1]) == ((below,), step(buy, "own sell at 100"))


def test_buy_waits_for_a_sell_just_placed():
    buy, sell = want(0, BUY, 100), want(1, SELL, 100)
    assert plan_of([buy, sell]) == Plan(place=(sell,), wait=(step(buy, "own sell at 100"),))


def test_market_sell_bars_no_buy():
    buy, leaving = want(0, BUY, 100), want(EXIT, SELL, 90, kind=OrderType.MARKET)
    assert plan_of([buy, leaving]) == Plan(place=(leaving, buy))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("price", [99, 100])
def test_sell_waits_for_a_resting_own_buy(price, is_known):
    buy = live(1, BUY, 100, is_known=is_known)
    sell, above = want(0, SELL, price), want(2, SELL, 101)
    plan = plan_of([want(1, BUY, 100), sell, above], [buy])
    assert (plan.place, plan.wait[-1]) == ((above,), step(sell, "own buy at 100"))


def test_buys_share_the_quote_from_the_nearest():
    near, far = want(1, BUY, 90), want(0, BUY, 80)
    assert plan_of([far, near], quote="16.99") == Plan(
        place=(near,), wait=(step(far, "capital: needs 8.0 USDT, 7.99 is free"),)
    )
    assert plan_of([far, near], quote=17) == Plan(place=(near, far))


def test_open_buys_have_spent_their_quote():
    resting = live(0, BUY, 80, "0.3", filled="0.2")
    buy = want(1, BUY, 90)
    assert plan_of([want(0, BUY, 80), buy], [resting], quote=16) == Plan(
        keep=(step(resting, "wanted buy"),), wait=(step(buy, "capital: needs 9.0 USDT, 8.0 is free"),)
    )


def test_buy_too_dear_leaves_room_for_cheaper():
    start, buy = want(START, BUY, 100, "1", kind=OrderType.MARKET), want(0, BUY, 80)
    assert plan_of([start, buy], quote=50) == Plan(
        place=(buy,), wait=(step(start, "capital: needs 100 USDT, 50 is free", "1"),)
    )


def test_quote_fee_counts_as_capital():
    market = replace(MARKET, fee_in=FeeIn.QUOTE, maker_fee=Decimal("0.001"), taker_fee=Decimal("0.002"))
    buy = want(0, BUY, 100)
    assert plan_of([buy], quote=10, market=market) == Plan(wait=(step(buy, "capital: needs 10.0200 USDT, 10 is free"),))
    assert plan_of([buy], quote="10.02", market=market) == Plan(place=(buy,))


@pytest.mark.parametrize(("fee_in", "cost"), [(FeeIn.BASE, "10"), (FeeIn.THIRD, "10"), (FeeIn.QUOTE, "10.02")])
def test_buy_costs_its_dearer_quote_fee(fee_in, cost):
    market = replace(MARKET, fee_in=fee_in, maker_fee=Decimal("0.002"), taker_fee=Decimal("0.001"))
    assert buy_cost(market, Decimal(100), Decimal("0.1")) == Decimal(cost)


def test_cooling_slot_waits_with_its_reason():
    buy, sell = want(0, BUY, 90), want(1, SELL, 110)
    cooling = {buy.slot: "refused: -2010", Slot(Purpose.START, 0): "refused: -1013"}
    assert plan_of([buy, sell], cooling=cooling) == Plan(place=(sell,), wait=(step(buy, "refused: -2010"),))


def test_cooling_buy_spends_no_quote():
    near, far = want(1, BUY, 90), want(0, BUY, 80)
    assert plan_of([near, far], quote=9, cooling={near.slot: "cools down"}) == Plan(
        place=(far,), wait=(step(near, "cools down"),)
    )
