"""What one execution costs and locks, exactly. Nothing is rounded but a fee in a third asset, up to 1e-8."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

from cryptotrader.core.market import FeeIn, Market, Side

# Money on this side of the book is never rounded: a result that would need more digits is an error, not a digit lost.
EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
THIRD_QUANTUM = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee as charged: the asset, the amount in it, and the same valued in quote."""

    asset: str
    amount: Decimal
    quote: Decimal


@dataclass(frozen=True, slots=True)
class Execution:
    """One trade about to be booked: price in quote, quantity in base."""

    side: Side
    price: Decimal
    quantity: Decimal
    is_maker: bool

    @property
    def notional(self) -> Decimal:
        """Price x quantity, in quote."""
        return self.price * self.quantity


def fee_of(market: Market, execution: Execution, *, third_price: Decimal, third_free: Decimal) -> Fee:
    """Return the fee of an execution.

    Args:
        market: fee fractions and the asset they are taken in.
        execution: what was traded.
        third_price: price of the third asset in quote (an assumption of the rules).
        third_free: free balance of the third asset; when it does not suffice, the exchange falls back to its
            default, the asset received.
    """
    rate = market.maker_fee if execution.is_maker else market.taker_fee
    if market.fee_in is FeeIn.THIRD:
        fee = _third_fee(market, execution, rate, third_price)
        if fee.amount <= third_free:
            return fee
    if execution.side is Side.BUY and market.fee_in is not FeeIn.QUOTE:
        amount = execution.quantity * rate
        return Fee(market.base, amount, amount * execution.price)
    amount = execution.notional * rate
    return Fee(market.quote, amount, amount)


def _third_fee(market: Market, execution: Execution, rate: Decimal, third_price: Decimal) -> Fee:
    # On BNB/USDT the third asset is the one that is traded: there its price is a fact and no assumption.
    own = {market.base: execution.price, market.quote: Decimal(1)}
    price = own.get(market.third_asset, third_price)
    quanta, rest = divmod(execution.notional * rate, price * THIRD_QUANTUM)
    amount = (quanta + (1 if rest else 0)) * THIRD_QUANTUM
    return Fee(market.third_asset, amount, amount * price)


def lock_of(market: Market, side: Side, price: Decimal, quantity: Decimal) -> tuple[str, Decimal]:
    """Return what a resting order locks: the asset and the amount, the maker fee included when taken in quote."""
    if side is Side.SELL:
        return market.base, quantity
    with_fee = 1 + (market.maker_fee if market.fee_in is FeeIn.QUOTE else Decimal(0))
    return market.quote, price * quantity * with_fee


def needed_for(market: Market, execution: Execution) -> Decimal:
    """Return what an immediate execution takes: base for a sell, quote (with a quote fee) for a buy."""
    if execution.side is Side.SELL:
        return execution.quantity
    return execution.notional * (1 + (market.taker_fee if market.fee_in is FeeIn.QUOTE else Decimal(0)))
