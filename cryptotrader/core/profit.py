"""The three profit numbers. The total comes from balances; that it equals the sum of the others is a check."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cryptotrader.errors import BooksDisagree

HOLD_QUANTUM = Decimal("1e-12")  # the one figure here that divides


@dataclass(frozen=True, slots=True)
class Purse:
    """What a bot was given and what it has now, from the ledger.

    Attributes:
        quote, base: balances now.
        investment: quote it was given.
        entry_base, entry_cost: holdings assigned at its start, and their value then.
        taken_out: profit withdrawn from the bot.
        third_fees: fees paid in a third asset, at the prices stored with them, in quote.
    """

    quote: Decimal
    base: Decimal
    investment: Decimal
    entry_base: Decimal = Decimal(0)
    entry_cost: Decimal = Decimal(0)
    taken_out: Decimal = Decimal(0)
    third_fees: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Profit:
    """Profit in quote: `total_pnl == grid_profit + inventory_pnl`, to the last digit."""

    grid_profit: Decimal
    inventory_pnl: Decimal
    total_pnl: Decimal
    hold_pnl: Decimal
    equity: Decimal


def compute_profit(
    purse: Purse, *, realised: Decimal, inventory_cost: Decimal, mark: Decimal, start_price: Decimal | None
) -> Profit:
    """Compute profit at a mark price.

    Args:
        purse: balances from the ledger.
        realised: sum over all sell fills of proceeds less fee less cost of the lots sold.
        inventory_cost: cost of the lots that are left.
        mark: price that the inventory is valued at.
        start_price: where `hold` would have bought; None before the start.

    Raises:
        BooksDisagree: the balances and the lots tell different profits.
    """
    equity = purse.quote + purse.base * mark
    total = equity - purse.investment - purse.entry_cost + purse.taken_out - purse.third_fees
    inventory = purse.base * mark - inventory_cost
    if total != realised + inventory:
        raise BooksDisagree(
            f"total P&L is {total} by the balances, {realised + inventory} by the lots (grid {realised}, "
            f"inventory {inventory}, mark {mark})"
        )
    hold = Decimal(0)
    if start_price is not None:
        put_in = purse.investment + purse.entry_base * start_price
        hold = (put_in * mark / start_price - put_in).quantize(HOLD_QUANTUM)
    return Profit(realised, inventory, total, hold, equity)
