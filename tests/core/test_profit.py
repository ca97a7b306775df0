"""Three profit numbers: from balances, from lots, and what holding would have brought."""

from dataclasses import replace
from decimal import Decimal

import pytest

from cryptotrader.core.cells import BotState
from cryptotrader.core.grid.config import GridConfig
from cryptotrader.core.grid.strategy import Grid
from cryptotrader.core.market import Side
from cryptotrader.core.profit import Profit, Purse, compute_profit
from cryptotrader.errors import BooksDisagree
from tests.core.grids import MARKET, START, cell_slot, facts, fill

PURSE = Purse(quote=Decimal(400), base=Decimal(2), investment=Decimal(1000))


def profit_of(purse=PURSE, *, realised=50, inventory_cost=650, mark=320, start_price: int | None = 250):
    return compute_profit(
        purse, realised=Decimal(realised), inventory_cost=Decimal(inventory_cost), mark=Decimal(mark),
        start_price=None if start_price is None else Decimal(start_price),
    )  # fmt: skip


def test_total_is_grid_and_inventory_profit():
    assert profit_of() == Profit(
        grid_profit=Decimal(50), inventory_pnl=Decimal(-10), total_pnl=Decimal(40), hold_pnl=Decimal(280),
        equity=Decimal(1040),
    )  # fmt: skip


@pytest.mark.parametrize("realised", ["50.000000000001", "49.999999999999"])
def test_one_last_digit_astray_is_found(realised):
    with pytest.raises(BooksDisagree, match="total P&L is 40 by the balances"):
        profit_of(realised=realised)


def test_profit_taken_out_stays_profit():
    purse = replace(PURSE, quote=Decimal(370), taken_out=Decimal(30))
    assert profit_of(purse) == replace(profit_of(), equity=Decimal(1010))


def test_third_asset_fees_lower_the_total():
    purse = replace(PURSE, third_fees=Decimal(3))
    assert profit_of(purse, realised=48, inventory_cost=651) == Profit(
        Decimal(48), Decimal(-11), Decimal(37), Decimal(280), Decimal(1040)
    )


def test_holdings_count_at_their_entry():
    purse = replace(PURSE, entry_base=Decimal(1), entry_cost=Decimal(250))
    profit = profit_of(purse, inventory_cost=900)
    assert profit == Profit(Decimal(50), Decimal(-260), Decimal(-210), Decimal(350), Decimal(1040))


def test_hold_is_nothing_before_the_start():
    purse = Purse(quote=Decimal(1000), base=Decimal(0), investment=Decimal(1000))
    assert profit_of(purse, realised=0, inventory_cost=0, start_price=None) == Profit(
        Decimal(0), Decimal(0), Decimal(0), Decimal(0), Decimal(1000)
    )


def test_hold_is_rounded_to_its_quantum():
    assert profit_of(start_price=300, mark=320).hold_pnl == Decimal("66.666666666667")


def golden_grid():
    """Return the published example with its own unit, 0.00059261, and its own fees."""
    market = replace(
        MARKET, tick_size=Decimal("0.1"), lot_step=Decimal("1e-8"), maker_fee=Decimal("0.0008"),
        taker_fee=Decimal("0.001"),
    )  # fmt: skip
    config = GridConfig("BTC/USDT", Decimal("24323.5"), Decimal("33444.8"), 6, None, quantity=Decimal("0.00059261"))
    return Grid(config, market)


def test_golden_ledger_ends_on_the_digit():
    grid, unit = golden_grid(), "0.00059261"
    state = grid.desired(BotState(), facts("30478.1")).state
    state = grid.apply(
        state, fill(START, Side.BUY, "30481.0", unit, market=grid.market, is_maker=False, completes=True)
    ).state
    state = grid.desired(state, facts("30478.1")).state
    for cell, price in ((4, "30404.3"), (3, "28884.1")):
        state = grid.apply(state, fill(cell_slot(cell), Side.BUY, price, unit, market=grid.market)).state
    quote = 100 - state.inventory_cost  # every fee was taken in base, so cost is all that was paid
    assert (state.base, quote) == (Decimal("0.001776289214"), Decimal("46.801755866"))
    purse = Purse(quote=quote, base=state.base, investment=Decimal(100))
    profit = compute_profit(
        purse, realised=state.realised, inventory_cost=state.inventory_cost, mark=Decimal(30_000),
        start_price=state.start_price,
    )  # fmt: skip
    assert profit == Profit(
        grid_profit=Decimal(0), inventory_pnl=Decimal("0.090432286"), total_pnl=Decimal("0.090432286"),
        hold_pnl=Decimal("-1.568667338187"), equity=Decimal("100.090432286"),
    )  # fmt: skip
