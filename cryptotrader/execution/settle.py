"""Find out what became of orders: unknown ones by four witnesses, known ones by their status."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal

from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderType, VenueOrder, VenueStatus, VenueTrade
from cryptotrader.execution.book import may_be_of
from cryptotrader.execution.job import CLOCK_SKEW, Job
from cryptotrader.store.bots import load_state, save_state
from cryptotrader.store.intents import move_intent, reload, slot_of
from cryptotrader.store.schema import TERMINAL, BotRow, IntentRow, IntentState, OutboxRow

LATE_ANSWER = timedelta(seconds=15)  # beyond recvWindow: the venue's own longest processing time
BETWEEN_NEGATIVES = timedelta(seconds=5)
NEGATIVES = 3
QUARANTINE_AFTER = timedelta(minutes=30)

_ENDED = {
    VenueStatus.CANCELED: IntentState.CANCELED,
    VenueStatus.EXPIRED: IntentState.EXPIRED,
    VenueStatus.REJECTED: IntentState.REJECTED,
}


def find_unknown(job: Job, intents: Iterable[IntentRow]) -> None:
    """Ask for every order whose sender is gone; adopt those that exist."""
    for intent in intents:
        if intent.state == IntentState.SENT:
            _move(job, intent, IntentState.UNKNOWN, "unknown")
        elif intent.state != IntentState.UNKNOWN:
            continue
        order = job.venue.fetch_order(job.symbol, intent.client_order_id)
        if order is not None:
            _adopt(job, intent, order)


def link_quarantined(job: Job, intents: Iterable[IntentRow]) -> None:
    """Note the venue's number of orders that were put aside before the venue showed them, so that their fills are ours.

    They stay where they are: only a person moves them.
    """
    for intent in intents:
        order = job.venue.fetch_order(job.symbol, intent.client_order_id)
        if order is not None and is_meant(intent, order):
            with job.db.transaction("link") as session:
                reload(session, intent).venue_order_id = order.venue_order_id


def judge_unknown(
    job: Job, intents: Iterable[IntentRow], open_orders: Mapping[str, VenueOrder], waiting: Collection[VenueTrade]
) -> bool:
    """Count a negative for each order that four witnesses deny; three, spaced, prove that it never arrived.

    The witnesses: the order by id (asked in `find_unknown`), the open orders, the trades, and a locked balance too
    small to hold it. While they disagree it stays unknown; after half an hour of that a person has to look.

    Args:
        waiting: trades of orders that could not be looked up.

    Returns:
        Whether a state changed.
    """
    changed = False
    for intent in intents:
        if intent.state != IntentState.UNKNOWN:
            continue
        signed_at = intent.signed_at or intent.created_at
        age = job.venue.fetch_time() - signed_at
        may_arrive = timedelta(milliseconds=intent.recv_window) + LATE_ANSWER
        recently = intent.last_negative_at is not None and job.now - intent.last_negative_at < BETWEEN_NEGATIVES
        if age <= may_arrive or recently:
            continue
        seen = intent.client_order_id in open_orders or any(may_be_of(intent, trade) for trade in waiting)
        if seen or _may_be_locked(job, intent):
            if age > QUARANTINE_AFTER:
                _quarantine(job, intent, f"the witnesses still disagree {age} after it was signed")
                changed = True
            continue
        with job.db.transaction("negative") as session:
            row = reload(session, intent)
            row.negatives, row.last_negative_at = row.negatives + 1, job.now
            if row.negatives >= NEGATIVES:
                move_intent(row, IntentState.PENDING, now=job.now)
                changed = True
    return changed


def settle_missing(job: Job, intents: Iterable[IntentRow], open_orders: Mapping[str, VenueOrder]) -> bool:
    """Settle each order that should rest and does not, and each cancel whose answer was lost.

    Returns:
        Whether something changed that the decision has to see: an order ended, or trades have to be booked first.
    """
    changed = False
    for intent in intents:
        if intent.state not in (IntentState.OPEN, IntentState.CANCEL_SENT, IntentState.UNKNOWN_CANCEL):
            continue
        if intent.state == IntentState.OPEN and intent.client_order_id in open_orders:
            continue
        changed = True
        order = job.venue.fetch_order(job.symbol, intent.client_order_id)  # a list may be older than our cancel
        if order is not None:
            settle(job, intent, order)
    return changed


def settle(job: Job, intent: IntentRow, order: VenueOrder, *, by_us: bool = False) -> None:
    """Take over what the venue shows of an order, once its fills are booked; somebody else's cancel parks the cell.

    Args:
        by_us: we have just cancelled it, whatever another process has made of its state meanwhile.
    """
    if order.filled_base != intent.filled_base:
        return  # its trades first: they complete it, or leave the rest to the next look
    with job.db.transaction("settle") as session:
        row = reload(session, intent)
        if order.status is VenueStatus.OPEN:
            move_intent(row, IntentState.OPEN, now=job.now)
        if order.status not in _ENDED or row.state in TERMINAL:
            return
        by_us |= row.state in (IntentState.CANCEL_SENT, IntentState.UNKNOWN_CANCEL)
        move_intent(row, _ENDED[order.status], now=job.now)
        if not by_us:
            bot = session.get_one(BotRow, job.bot_id)
            before = load_state(session, bot)
            save_state(session, bot, before, job.strategy.park(before, slot_of(row)))
            message = f"{job.name}: {row.side} {row.quantity} at {row.price} was cancelled by somebody else"
            session.add(
                OutboxRow(at=job.now, bot_id=job.bot_id, severity="warning", kind="order.parked", message=message)
            )


def _move(job: Job, intent: IntentRow, state: IntentState, name: str) -> None:
    with job.db.transaction(name) as session:
        move_intent(reload(session, intent), state, now=job.now)


def _adopt(job: Job, intent: IntentRow, order: VenueOrder) -> None:
    """Take an order over that the venue shows, if it is the one that was meant, else put it aside for a person."""
    if not is_meant(intent, order):
        _quarantine(job, intent, f"the venue shows another order under its id: {order.side} {order.quantity} "
                                 f"at {order.price} of {order.created_at}")  # fmt: skip
        return
    with job.db.transaction("adopt") as session:
        row = reload(session, intent)
        row.venue_order_id = order.venue_order_id
        move_intent(row, IntentState.OPEN, now=job.now)


def is_meant(intent: IntentRow, order: VenueOrder) -> bool:
    """Whether an order that the venue shows under an intent's id is the one that was sent."""
    same = (order.side, order.quantity) == (intent.side, intent.quantity)
    same &= intent.type == OrderType.MARKET or order.price == intent.price
    return same and order.created_at >= intent.created_at - CLOCK_SKEW  # it may be of an earlier attempt


def _quarantine(job: Job, intent: IntentRow, why: str) -> None:
    with job.db.transaction("quarantine") as session:
        move_intent(reload(session, intent), IntentState.QUARANTINED, now=job.now)
        message = f"{job.name}: order {intent.client_order_id} needs a person: {why}"
        session.add(
            OutboxRow(at=job.now, bot_id=job.bot_id, severity="critical", kind="order.quarantined", message=message)
        )


def _may_be_locked(job: Job, intent: IntentRow) -> bool:
    """Whether the balance locked beyond what all open orders explain could hold this order."""
    buys = intent.side == Side.BUY
    asset = job.market.quote if buys else job.market.base
    balance = job.venue.fetch_balances().get(asset)
    if balance is None:
        return False
    shown = Decimal(0)
    for order in job.venue.fetch_open_orders(None):
        left = order.quantity - order.filled_base
        base, _, quote = order.symbol.partition("/")
        if order.side is Side.BUY and quote == asset:
            shown += order.price * left
        elif order.side is Side.SELL and base == asset:
            shown += left
    own = intent.price * intent.quantity if buys else intent.quantity  # at least: some venues lock a fee beside it
    return balance.locked - shown >= own
