"""Resolve an order that was put aside for a person: say, with a reason, how it ended."""

from __future__ import annotations

from decimal import Decimal

from cryptotrader.core.orders import VenueStatus
from cryptotrader.errors import InputRefused
from cryptotrader.execution.commands import needs_reason, record_audit
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.settle import is_meant
from cryptotrader.store.bots import get_bot
from cryptotrader.store.database import Session
from cryptotrader.store.intents import move_intent
from cryptotrader.store.schema import TERMINAL, BotRow, IntentRow, IntentState

NEVER_EXISTED = frozenset({IntentState.VOID, IntentState.REJECTED})


def resolve_order(desk: Desk, client_order_id: str, *, state: IntentState, reason: str) -> None:
    """Move a quarantined order to the state in which it ended; afterwards its cell trades again.

    The venue is asked first: an order that it shows open, or that executed more than is booked, has not ended.

    Raises:
        InputRefused: an unknown order, one that is not quarantined, no reason, or a state that is no end or that the
            venue or the booked fills contradict.
        VenueUnavailable: the venue could not be asked; nothing was changed.
    """
    reason = needs_reason(reason)
    with desk.db.reading() as session:
        intent, bot = _quarantined(session, client_order_id)
    _check_state(intent, state)
    _ask_venue(desk, bot, intent, state)
    with desk.db.transaction("resolve") as session:
        intent, _ = _quarantined(session, client_order_id)
        _check_state(intent, state)
        move_intent(intent, state, now=desk.runtime.wall.now())
        record_audit(session, desk, "orders.resolve", client_order_id, {"as": state.value, "reason": reason})


def _quarantined(session: Session, client_order_id: str) -> tuple[IntentRow, BotRow]:
    intent = session.get(IntentRow, client_order_id, with_for_update=True)
    if intent is None:
        raise InputRefused(
            f"There is no order {client_order_id!r}.", field="id", value=client_order_id, hint="See `orders --open`."
        )
    if intent.state != IntentState.QUARANTINED:
        raise InputRefused(
            f"Order {client_order_id} is {intent.state}, not quarantined.", field="id", value=client_order_id,
            hint="Only quarantined orders need a person; passes settle the others.",
        )  # fmt: skip
    return intent, get_bot(session, intent.bot_id)


def _check_state(intent: IntentRow, state: IntentState) -> None:
    """Refuse a state that is no end, or that the booked fills contradict."""
    filled, quantity = intent.filled_base, intent.quantity
    if state not in TERMINAL:
        ends = ", ".join(sorted(TERMINAL))
        raise InputRefused(f"{state} is not an end.", field="as", value=state, hint=f"Use one of: {ends}.")
    if (state is IntentState.FILLED) != (filled == quantity) or (state in NEVER_EXISTED and filled):
        raise InputRefused(
            f"Order {intent.client_order_id} cannot have ended as {state}: {filled:f} of {quantity:f} is booked.",
            field="as", value=state, hint=_what_fits(filled, quantity),
        )  # fmt: skip


def _what_fits(filled: Decimal, quantity: Decimal) -> str:
    if filled == quantity:
        return "It is filled."
    return "It can be canceled or expired." if filled else "It can be canceled, expired, rejected or void."


def _ask_venue(desk: Desk, bot: BotRow, intent: IntentRow, state: IntentState) -> None:
    """Refuse while the venue shows the order open, more of it executed than is booked, or another end."""
    order, order_id = desk.venue(bot.account).fetch_order(bot.symbol, intent.client_order_id), intent.client_order_id
    if order is None:
        return
    if order.status is VenueStatus.OPEN:
        raise InputRefused(
            f"{bot.account} shows an order open under the id {order_id}: {order.side} {order.quantity:f} at "
            f"{order.price:f}.", field="id", value=order_id,
            hint="Cancel it at the exchange first: a cell must never have two orders.",
        )  # fmt: skip
    if not is_meant(intent, order):
        return  # another's order, and it has ended
    if order.filled_base != intent.filled_base:
        raise InputRefused(
            f"{bot.account} executed {order.filled_base:f} of {order_id}, {intent.filled_base:f} is booked.",
            field="id", value=order_id, hint="The next pass books the rest: then try again.",
        )  # fmt: skip
    if order.status.value != state.value:
        raise InputRefused(f"{bot.account} shows {order_id} as {order.status}, not {state}.", field="as", value=state,
                           hint=f"Use {order.status}.")  # fmt: skip
