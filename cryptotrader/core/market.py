"""What a venue says about one symbol: its units, limits and fees. The only place where anything is rounded."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from cryptotrader.errors import InputRefused

FEE_QUANTUM = Decimal("1e-12")  # a fee taken in a third asset is priced, which divides; all other fees are exact


class FeeIn(StrEnum):
    """The asset in which the venue takes its fee on a buy. (On a sell: `THIRD`, else always the quote.)"""

    BASE = "base"
    QUOTE = "quote"
    THIRD = "third"


class Side(StrEnum):
    """Of an order or a fill."""

    BUY = "buy"
    SELL = "sell"


def decimal_from(text: object, *, field: str) -> Decimal:
    """Read a finite decimal number from text, or refuse it by its field's name.

    Raises:
        InputRefused: not a number, NaN or infinite.
    """
    try:
        number = Decimal(str(text).strip())
    except ArithmeticError:
        raise InputRefused(f"{field} is {text!r}, which is not a number.", field=field, value=text) from None
    if not number.is_finite():
        raise InputRefused(f"{field} is {text!r}, which is not a finite number.", field=field, value=text)
    return number


@dataclass(frozen=True, slots=True)
class Market:
    """Units, limits and fees of one symbol.

    Attributes:
        symbol: "BTC/USDT".
        tick_size: the smallest price step, in quote per base.
        lot_step: the smallest quantity step, in base.
        min_notional: the smallest price x quantity of an order, in quote.
        maker_fee, taker_fee: as fractions (0.001 is 0.1 %).
        fee_in: the asset that fees are taken in.
        third_asset: the asset behind `FeeIn.THIRD`.
        max_orders: how many orders may rest at once (Binance: MAX_NUM_ORDERS, 200).
    """

    symbol: str
    tick_size: Decimal
    lot_step: Decimal
    min_notional: Decimal
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    fee_in: FeeIn = FeeIn.BASE
    third_asset: str = "BNB"
    max_orders: int = 200

    @property
    def base(self) -> str:
        """The asset that is bought and sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset that it is paid with."""
        return self.symbol.partition("/")[2]

    def ticks(self, price: Decimal, *, field: str = "price") -> int:
        """Return an on-tick price as a whole number of ticks.

        Raises:
            InputRefused: the price is not positive or not a multiple of the tick size.
        """
        if not price.is_finite() or price <= 0:
            raise InputRefused(f"{field} is {price}; a price is a positive number.", field=field, value=price)
        ticks, rest = divmod(price, self.tick_size)
        if rest:
            below = ticks * self.tick_size
            raise InputRefused(
                f"{field} {price} is not on the tick of {self.symbol}, {self.tick_size}.",
                field=field,
                value=price,
                hint=f"Use {below if below else self.tick_size} or {below + self.tick_size}.",
            )
        return int(ticks)

    def price(self, ticks: int) -> Decimal:
        """Return a number of ticks as a price."""
        return ticks * self.tick_size

    def floor_price(self, price: Decimal) -> Decimal:
        """Round a price down to the tick."""
        return (price / self.tick_size).to_integral_value(ROUND_FLOOR) * self.tick_size

    def ceil_price(self, price: Decimal) -> Decimal:
        """Round a price up to the tick."""
        return (price / self.tick_size).to_integral_value(ROUND_CEILING) * self.tick_size

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """Round a quantity down to the lot step: never sell or buy more than there is."""
        return (quantity / self.lot_step).to_integral_value(ROUND_FLOOR) * self.lot_step

    def ceil_quantity(self, quantity: Decimal) -> Decimal:
        """Round a quantity up to the lot step: for minimums, and for buys grossed up by their fee."""
        return (quantity / self.lot_step).to_integral_value(ROUND_CEILING) * self.lot_step

    def is_sellable(self, quantity: Decimal, price: Decimal) -> bool:
        """Whether an order of this size passes the lot and notional filters."""
        return quantity >= self.lot_step and quantity * price >= self.min_notional

    @property
    def base_fee_on_buy(self) -> Decimal:
        """The maker fee fraction lost from the base that a buy brings (0 unless fees are taken in base)."""
        return self.maker_fee if self.fee_in is FeeIn.BASE else Decimal(0)
