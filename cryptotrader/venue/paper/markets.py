"""Built-in rules of paper symbols, for when no exchange can be asked."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, TypedDict, Unpack

from cryptotrader.core.market import FeeIn, Market
from cryptotrader.errors import InputRefused


class Units(NamedTuple):
    """Price step (quote), quantity step (base) and smallest order (quote) of a symbol."""

    tick_size: Decimal
    lot_step: Decimal
    min_notional: Decimal


# Facts of Binance spot: GET /api/v3/exchangeInfo, filters PRICE_FILTER.tickSize, LOT_SIZE.stepSize and
# NOTIONAL.minNotional, as they stand since the minimum went from 10 to 5 USDT. They change over the years: the
# exchangeInfo of 2021-10-12 has ETHBTC on a tick of 0.000001, BNBUSDT on 0.1, SOLUSDT with lots of 0.01, and 10 USDT
# as the minimum. A series of another time or exchange needs the units of that time, as overrides.
BUILT_IN = {
    "BTC/USDT": Units(Decimal("0.01"), Decimal("0.00001"), Decimal(5)),
    "ETH/USDT": Units(Decimal("0.01"), Decimal("0.0001"), Decimal(5)),
    "BNB/USDT": Units(Decimal("0.01"), Decimal("0.001"), Decimal(5)),
    "SOL/USDT": Units(Decimal("0.01"), Decimal("0.001"), Decimal(5)),
    "ETH/BTC": Units(Decimal("0.00001"), Decimal("0.0001"), Decimal("0.0001")),
}


class MarketOverrides(TypedDict, total=False):
    """Fields of `Market` that a user may set; None means not set."""

    tick_size: Decimal | None
    lot_step: Decimal | None
    min_notional: Decimal | None
    maker_fee: Decimal | None
    taker_fee: Decimal | None
    fee_in: FeeIn | None
    third_asset: str | None
    max_orders: int | None


def paper_market(symbol: str, **overrides: Unpack[MarketOverrides]) -> Market:
    """Return the units, limits and fees of a paper symbol.

    Args:
        symbol: "BTC/USDT".
        overrides: fields of `Market` to set instead of the built-in ones; None leaves a field as it is.

    Raises:
        InputRefused: not a symbol; unknown here and tick, lot or minimum missing; a unit that is not positive.
    """
    base, slash, quote = symbol.partition("/")
    if not (base and slash and quote) or "/" in quote:
        raise InputRefused(f"{symbol!r} is not a symbol.", field="symbol", value=symbol, hint='Write it "BTC/USDT".')
    given = {name: value for name, value in overrides.items() if value is not None}
    known = BUILT_IN[symbol]._asdict() if symbol in BUILT_IN else {}
    missing = [name for name in Units._fields if name not in known and name not in given]
    if missing:
        raise InputRefused(
            f"{symbol} has no built-in rules ({', '.join(BUILT_IN)} have).",
            field="symbol",
            value=symbol,
            hint="Give its units with --tick, --lot and --min-notional.",
        )
    market = Market(symbol=symbol, **{**known, **given})
    _refuse_impossible(market)
    return market


def _refuse_impossible(market: Market) -> None:
    for flag, unit in (("--tick", market.tick_size), ("--lot", market.lot_step)):
        if not unit.is_finite() or unit <= 0:
            raise InputRefused(f"{flag} is {unit}; it must be positive.", field=flag, value=unit)
    if not market.min_notional.is_finite() or market.min_notional < 0:
        value = market.min_notional
        raise InputRefused(f"--min-notional is {value}; it must be 0 or more.", field="--min-notional", value=value)
    for name, fee in (("maker_fee", market.maker_fee), ("taker_fee", market.taker_fee)):
        if not fee.is_finite() or not 0 <= fee < 1:
            message = f"{name} is {fee}; a fee is a fraction from 0 to below 1."
            raise InputRefused(message, field=name, value=fee, hint="0.02 means 2 %.")
