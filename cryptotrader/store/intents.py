"""Intents: orders from before they are sent until they are proven ended. States move along the arrows only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from cryptotrader.core.market import Side
from cryptotrader.core.orders import Purpose, VenueOrder
from cryptotrader.core.reconcile import LiveOrder
from cryptotrader.core.strategy import Slot, Wanted
from cryptotrader.errors import BooksDisagree
from cryptotrader.store.schema import ARROWS, TERMINAL, BotRow, IntentRow, IntentState

_LIVE = (
    select(IntentRow)
    .where(IntentRow.bot_id == bindparam("bot"), IntentRow.state.not_in(TERMINAL))
    .order_by(IntentRow.created_at, IntentRow.client_order_id)
)
_PENDING = select(IntentRow).where(IntentRow.bot_id == bindparam("bot"), IntentRow.state == IntentState.PENDING)
_LAST_SERIAL = select(func.max(IntentRow.serial)).where(
    IntentRow.bot_id == bindparam("bot"), IntentRow.cell == bindparam("cell"), IntentRow.purpose == bindparam("purpose")
)
_BY_VENUE_ID = (
    select(IntentRow)
    .join(BotRow, BotRow.id == IntentRow.bot_id)
    .where(BotRow.account == bindparam("of"), BotRow.symbol == bindparam("on"))
    .where(IntentRow.venue_order_id == bindparam("order"))
)
_UNPROVEN = select(IntentRow).where(
    IntentRow.bot_id == bindparam("bot"), IntentRow.state.in_((IntentState.SENT, IntentState.UNKNOWN))
)
_UNLINKED = select(IntentRow).where(
    IntentRow.bot_id == bindparam("bot"), IntentRow.state == IntentState.QUARANTINED, IntentRow.venue_order_id.is_(None)
)
_KNOWN_IDS = select(IntentRow.client_order_id).where(IntentRow.client_order_id.in_(bindparam("ids", expanding=True)))
_KNOWN_VENUE_IDS = (
    select(IntentRow.venue_order_id)
    .join(BotRow, BotRow.id == IntentRow.bot_id)
    .where(BotRow.account == bindparam("of"), IntentRow.venue_order_id.in_(bindparam("ids", expanding=True)))
)
_COOLING = select(IntentRow).where(IntentRow.bot_id == bindparam("bot"), IntentRow.cooldown_until > bindparam("now"))

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_CELL_OFFSET = 36**3 // 2  # so that a cell's number may be negative
PREFIX = "ct"  # how the ids of all our orders begin
_ID = re.compile(rf"{PREFIX}([0-9a-z]{{6}})([0-9a-z]{{3}})([BSIX])([0-9a-z]{{6}})")
KNOWN_OPEN = frozenset({IntentState.OPEN})


def client_order_id(incarnation: str, purpose: Purpose, side: Side, cell: int, serial: int) -> str:
    """Return the 18 characters of an order's id: ct, the bot's 6, cell 3, kind 1, serial 6. Never of the price."""
    kind = {Purpose.START: "I", Purpose.EXIT: "X"}.get(purpose, "B" if side is Side.BUY else "S")
    return f"{PREFIX}{incarnation}{_base36(cell + _CELL_OFFSET, 3)}{kind}{_base36(serial, 6)}"


def _base36(number: int, width: int) -> str:
    if not 0 <= number < 36**width:
        raise BooksDisagree(f"{number} does not fit {width} characters of an order id")
    digits = ""
    for _ in range(width):
        number, rest = divmod(number, 36)
        digits = _ALPHABET[rest] + digits
    return digits


@dataclass(frozen=True, slots=True)
class OrderName:
    """What an order's id tells of it."""

    incarnation: str
    slot: Slot
    side: Side
    serial: int


def read_order_id(order_id: str) -> OrderName | None:
    """Return what an id of ours tells; None for another's."""
    found = _ID.fullmatch(order_id)
    if found is None:
        return None
    incarnation, cell, kind, serial = found.groups()
    purpose = {"I": Purpose.START, "X": Purpose.EXIT}.get(kind, Purpose.CELL)
    side = Side.BUY if kind in "BI" else Side.SELL
    return OrderName(incarnation, Slot(purpose, int(cell, 36) - _CELL_OFFSET), side, int(serial, 36))


def slot_of(intent: IntentRow) -> Slot:
    """Return the place of an order."""
    return Slot(Purpose(intent.purpose), intent.cell)


def live_intents(session: Session, bot_id: int) -> list[IntentRow]:
    """Return the intents of a bot that are not proven ended, in the order of their making."""
    return list(session.scalars(_LIVE, {"bot": bot_id}))


def pending_intents(session: Session, bot_id: int) -> list[IntentRow]:
    """Return the orders of a bot that are not under way: never sent, or proven absent."""
    return list(session.scalars(_PENDING, {"bot": bot_id}))


def recent_intents(session: Session, bot_id: int, since: datetime) -> list[IntentRow]:
    """Return the orders of a bot that reached the venue for certain and changed since then."""
    reached = (IntentState.OPEN, IntentState.FILLED, IntentState.CANCELED, IntentState.EXPIRED)
    query = select(IntentRow).where(IntentRow.bot_id == bot_id, IntentRow.updated_at >= since)
    return list(session.scalars(query.where(IntentRow.state.in_(reached)).order_by(IntentRow.updated_at)))


def unproven_intents(session: Session, bot_id: int) -> list[IntentRow]:
    """Return the orders of a bot that were sent and whose outcome is not known."""
    return list(session.scalars(_UNPROVEN, {"bot": bot_id}))


def unlinked_intents(session: Session, bot_id: int) -> list[IntentRow]:
    """Return the quarantined orders of a bot that the venue has not shown yet."""
    return list(session.scalars(_UNLINKED, {"bot": bot_id}))


def known_ids(session: Session, ids: Iterable[str]) -> frozenset[str]:
    """Return which of these client order ids the database knows."""
    wanted = list(ids)
    return frozenset(session.scalars(_KNOWN_IDS, {"ids": wanted})) if wanted else frozenset()


def known_venue_ids(session: Session, account: str, ids: Iterable[str]) -> frozenset[str]:
    """Return which of a venue's order numbers are of orders that the database knows."""
    wanted = list(ids)
    found = session.scalars(_KNOWN_VENUE_IDS, {"of": account, "ids": wanted}) if wanted else ()
    return frozenset(order_id for order_id in found if order_id is not None)


def as_live(intent: IntentRow) -> LiveOrder:
    """Return an intent as the planner sees it."""
    return LiveOrder(
        intent.client_order_id, slot_of(intent), Side(intent.side), intent.price, intent.quantity,
        intent.filled_base, is_known=intent.state in KNOWN_OPEN,
    )  # fmt: skip


def cooling_slots(session: Session, bot_id: int, now: datetime) -> dict[Slot, str]:
    """Return the slots whose last order was refused a short while ago, with the reason."""
    return {slot_of(i): f"refused ({i.refusal_code}); tried again at {i.cooldown_until:%H:%M:%S} UTC"
            for i in session.scalars(_COOLING, {"bot": bot_id, "now": now})}  # fmt: skip


def add_intent(
    session: Session, bot_id: int, incarnation: str, want: Wanted, *, token: int, recv_window: int, now: datetime
) -> IntentRow:
    """Write a PENDING intent for a wanted order, with the next serial of its slot.

    The serial goes up only here, in a transaction that reads the slot's former intent as proven ended: the unique
    index over live intents refuses the row otherwise.
    """
    slot = {"bot": bot_id, "cell": want.slot.cell, "purpose": want.slot.purpose.value}
    serial = (session.scalar(_LAST_SERIAL, slot) or 0) + 1
    intent = IntentRow(
        client_order_id=client_order_id(incarnation, want.slot.purpose, want.side, want.slot.cell, serial),
        bot_id=bot_id, cell=want.slot.cell, purpose=want.slot.purpose.value, side=want.side.value,
        type=want.type.value, serial=serial, cycle=want.cycle, price=want.price, quantity=want.quantity,
        state=IntentState.PENDING.value, token=token, recv_window=recv_window, negatives=0, attempts=0,
        filled_base=Decimal(0), filled_quote=Decimal(0), created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(intent)
    session.flush()
    return intent


def adopt_intent(
    session: Session, bot_id: int, name: OrderName, want: Wanted, order: VenueOrder, *, token: int, recv_window: int,
    now: datetime,
) -> None:  # fmt: skip
    """Write an OPEN intent for an order that the venue shows and that no row told of, with the serial of its id."""
    session.add(
        IntentRow(
            client_order_id=order.client_order_id, bot_id=bot_id, cell=name.slot.cell, purpose=name.slot.purpose.value,
            side=order.side.value, type=order.type.value, serial=name.serial, cycle=want.cycle, price=order.price,
            quantity=order.quantity, state=IntentState.OPEN.value, token=token, venue_order_id=order.venue_order_id,
            signed_at=order.created_at, recv_window=recv_window, negatives=0, attempts=1, filled_base=Decimal(0),
            filled_quote=Decimal(0), created_at=now, updated_at=now,
        )
    )  # fmt: skip


def find_by_venue_id(session: Session, account: str, symbol: str, venue_order_id: str) -> IntentRow | None:
    """Return the intent behind a venue's order number, which is unique within a symbol; None: it is not ours."""
    return session.scalars(_BY_VENUE_ID, {"of": account, "on": symbol, "order": venue_order_id}).one_or_none()


def reload(session: Session, intent: IntentRow) -> IntentRow:
    """Return the intent as it stands now, locked for this transaction."""
    row = session.get(IntentRow, intent.client_order_id, with_for_update=True)
    if row is None:
        raise BooksDisagree(f"intent {intent.client_order_id} has vanished")
    return row


def move_intent(intent: IntentRow, state: IntentState, *, now: datetime) -> None:
    """Move an intent along an arrow.

    Raises:
        BooksDisagree: there is no arrow from its state to the other.
    """
    here = IntentState(intent.state)
    if here is state:
        return
    if state not in ARROWS[here]:
        raise BooksDisagree(f"intent {intent.client_order_id} cannot go from {here} to {state}")
    intent.state, intent.updated_at = state.value, now


def live_slots(intents: list[IntentRow]) -> frozenset[Slot]:
    """Return the slots that have an order which is not proven ended."""
    return frozenset(slot_of(intent) for intent in intents)
