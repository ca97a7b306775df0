"""Desired orders against live ones: what to cancel, place, keep, and what has to wait, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from cryptotrader.core.market import FeeIn, Market, Side
from cryptotrader.core.orders import OrderType, Purpose
from cryptotrader.core.strategy import Slot, Wanted


class Control(StrEnum):
    """What a bot may do. The strictest of all scopes wins."""

    ACTIVE = "active"  # all
    REDUCING = "reducing"  # sells and cancels
    HALTED = "halted"  # cancels only


@dataclass(frozen=True, slots=True)
class LiveOrder:
    """The last order of a slot, as long as it is not proven ended.

    Attributes:
        is_known: the venue has shown it open. False: its outcome is not known yet, nothing may take its place.
    """

    client_order_id: str
    slot: Slot
    side: Side
    price: Decimal
    quantity: Decimal
    filled: Decimal
    is_known: bool

    @property
    def remaining(self) -> Decimal:
        """What is not executed yet."""
        return self.quantity - self.filled


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a plan: an order and the reason for what happens to it."""

    slot: Slot
    side: Side
    price: Decimal
    quantity: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference between what should rest and what does. Sells stand before buys in `place`."""

    cancel: tuple[tuple[LiveOrder, str], ...] = ()
    place: tuple[Wanted, ...] = ()
    keep: tuple[Step, ...] = ()
    wait: tuple[Step, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to do."""
        return not self.cancel and not self.place


@dataclass(slots=True)
class _Draft:
    """A plan in the making, and the money that it may still spend."""

    free_quote: Decimal
    lowest_sell: Decimal | None
    highest_buy: Decimal | None
    cancel: list[tuple[LiveOrder, str]] = field(default_factory=list)
    place: list[Wanted] = field(default_factory=list)
    keep: list[Step] = field(default_factory=list)
    wait: list[Step] = field(default_factory=list)


def buy_cost(market: Market, price: Decimal, quantity: Decimal) -> Decimal:
    """Return the quote that a buy can cost, its fee included where it is taken in quote."""
    fee = max(market.maker_fee, market.taker_fee) if market.fee_in is FeeIn.QUOTE else Decimal(0)
    return price * quantity * (1 + fee)


def reconcile(
    wanted: Iterable[Wanted],
    live: Iterable[LiveOrder],
    *,
    market: Market,
    control: Control,
    quote: Decimal,
    cooling: Mapping[Slot, str] | None = None,
    may_exit: bool = False,
) -> Plan:
    """Compare what should rest with what does.

    Args:
        wanted: the strategy's decision, one order a slot at most.
        live: the last order of each slot that is not proven ended.
        control: what the bot may do.
        quote: quote that the bot owns, open buys not deducted.
        cooling: slots that must not be tried again yet, with the reason.
        may_exit: a person ordered to sell everything: that one order passes a halt.
    """
    live_by_slot = {order.slot: order for order in live}
    wanted_by_slot = {want.slot: want for want in wanted}
    locked = (buy_cost(market, o.price, o.remaining) for o in live_by_slot.values() if o.side is Side.BUY)
    sells = [o.price for o in live_by_slot.values() if o.side is Side.SELL]
    buys = [o.price for o in live_by_slot.values() if o.side is Side.BUY]
    draft = _Draft(quote - sum(locked, Decimal(0)), min(sells, default=None), max(buys, default=None))
    for order in live_by_slot.values():
        _judge_live(draft, order, wanted_by_slot.get(order.slot), control)
    fresh = (want for slot, want in wanted_by_slot.items() if slot not in live_by_slot)
    for want in sorted(fresh, key=_urgency):
        passes = may_exit and want.slot.purpose is Purpose.EXIT
        reason = (cooling or {}).get(want.slot) or _obstacle(draft, want, market, Control.ACTIVE if passes else control)
        if reason is None:
            draft.place.append(want)
        else:
            draft.wait.append(Step(want.slot, want.side, want.price, want.quantity, reason))
    return Plan(tuple(draft.cancel), tuple(draft.place), tuple(draft.keep), tuple(draft.wait))


def _urgency(want: Wanted) -> tuple[int, Decimal]:
    """Exits and sells first, from the lowest; then the start; then buys, from the nearest to the price down."""
    if want.side is Side.SELL:
        return 0, want.price
    return (1 if want.slot.purpose is Purpose.START else 2), -want.price


def _judge_live(draft: _Draft, order: LiveOrder, want: Wanted | None, control: Control) -> None:
    def step(reason: str) -> Step:
        return Step(order.slot, order.side, order.price, order.remaining, reason)

    if not order.is_known:
        draft.wait.append(step("the outcome of its last order is not known yet"))
    elif control is Control.HALTED:
        draft.keep.append(step("halted: nothing is placed or replaced"))
    elif control is Control.REDUCING and order.side is Side.BUY:
        draft.cancel.append((order, "reducing: no buys"))
    elif want is None:
        draft.cancel.append((order, "no longer wanted"))
    elif not _is_same(want, order):
        draft.cancel.append((order, f"wanted now: {want.side} {want.quantity} at {want.price}"))
    else:
        draft.keep.append(step(want.reason))


def _is_same(want: Wanted, order: LiveOrder) -> bool:
    """Whether an order is the one that is wanted; the reference price of a market order may move."""
    same_price = want.type is OrderType.MARKET or want.price == order.price
    return same_price and (want.side, want.quantity) == (order.side, order.remaining)


def _obstacle(draft: _Draft, want: Wanted, market: Market, control: Control) -> str | None:
    """Return why an order cannot be placed now, or None and book its cost."""
    if control is Control.HALTED:
        return "halted: nothing is placed"
    if want.side is Side.SELL:
        if want.type is not OrderType.MARKET:
            draft.lowest_sell = want.price if draft.lowest_sell is None else min(draft.lowest_sell, want.price)
            if draft.highest_buy is not None and want.price <= draft.highest_buy:
                return f"own buy at {draft.highest_buy}"
        return None
    if control is Control.REDUCING:
        return "reducing: no buys"
    if draft.lowest_sell is not None and want.price >= draft.lowest_sell:
        return f"own sell at {draft.lowest_sell}"
    cost = buy_cost(market, want.price, want.quantity)
    if cost > draft.free_quote:
        return f"capital: needs {cost:f} {market.quote}, {draft.free_quote:f} is free"
    draft.free_quote -= cost
    return None
