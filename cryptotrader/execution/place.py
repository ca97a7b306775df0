"""Place orders: intent first, then a signed time, then one send. What is not proven stays unproven."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderRequest, OrderType, Purpose, VenueStatus
from cryptotrader.core.strategy import Wanted
from cryptotrader.errors import LeaseLost, OrderRefused, OutcomeUnknown
from cryptotrader.execution.job import CLOCK_SKEW, Job
from cryptotrader.store.control import load_ruling
from cryptotrader.store.database import Session
from cryptotrader.store.intents import add_intent, move_intent, pending_intents, reload, slot_of
from cryptotrader.store.lease import Lease, prove_lease
from cryptotrader.store.schema import IntentRow, IntentState, OutboxRow

SEND_WITHIN = timedelta(seconds=1)  # after this a signed time is too old to be sent: sign again
COOL_DOWN = timedelta(seconds=60)
DUPLICATE = "Duplicate order sent."  # an open order carries this id already: the opposite of a proof of absence


def place(job: Job, wants: Iterable[Wanted]) -> bool:
    """Place orders in the given sequence; void intents that were never sent and are wanted no more.

    Returns:
        Whether any of them executed at once, so that there is something to book.
    """
    executed = False
    for intent in _intend(job, tuple(wants)):
        executed |= _send(job, intent)
    return executed


def _intend(job: Job, wants: tuple[Wanted, ...]) -> list[IntentRow]:
    """Commit a PENDING intent for each order; one that was proven absent goes again under its own id."""
    with job.db.transaction("intend") as session:
        prove_lease(session, _lease(job), now=job.now, needed=_reach(job))
        pending = {slot_of(i): i for i in pending_intents(session, job.bot_id)}
        chosen = []
        for want in wants:
            old = pending.get(want.slot)
            if old is not None and (old.side, old.price, old.quantity) == (want.side, want.price, want.quantity):
                chosen.append(pending.pop(want.slot))
        for old in pending.values():
            move_intent(old, IntentState.VOID, now=job.now)
        session.flush()  # a slot must be free before its next serial
        again = {slot_of(intent) for intent in chosen}
        token, window = _lease(job).token, job.venue.recv_window_ms
        chosen += [
            add_intent(session, job.bot_id, job.incarnation, want, token=token, recv_window=window, now=job.now)
            for want in wants
            if want.slot not in again
        ]
    order = {want.slot: place for place, want in enumerate(wants)}
    return sorted(chosen, key=lambda intent: order[slot_of(intent)])


def _send(job: Job, intent: IntentRow) -> bool:
    """Sign, commit, and send once. Returns whether it executed at once."""
    request = _sign(job, intent)
    if request is None:
        return False
    job.checkpoint("send:before")
    try:
        order = job.venue.place_order(request)
    except OrderRefused as refusal:
        if refusal.message != DUPLICATE:
            _note_refusal(job, request, refusal)
        return False
    except OutcomeUnknown:
        return False  # it stays SENT: a later pass finds out
    job.checkpoint("send:after")
    with job.db.transaction("acknowledge") as session:
        row = _answered(session, job, request)
        if row is not None:
            row.venue_order_id = order.venue_order_id
            move_intent(row, IntentState.OPEN, now=job.now)
    job.tally.placed += 1
    return order.status is not VenueStatus.OPEN or order.filled_base > 0


def _sign(job: Job, intent: IntentRow) -> OrderRequest | None:
    """Commit SENT with the time that will be signed; None when the order may no longer go."""
    while True:
        with job.db.transaction("sign") as session:
            row = reload(session, intent)
            ruling = load_ruling(session, job.venue.account, job.name)
            if not ruling.allows(Purpose(row.purpose), Side(row.side)):
                if row.state == IntentState.PENDING:  # else it was signed and has not left: proven like any other
                    move_intent(row, IntentState.VOID, now=job.now)
                return None
            prove_lease(session, _lease(job), now=job.now, needed=_reach(job))
            if row.state == IntentState.PENDING:
                move_intent(row, IntentState.SENT, now=job.now)
                row.attempts += 1
            row.signed_at, row.negatives, row.token = job.now, 0, _lease(job).token
        if job.now - row.signed_at <= SEND_WITHIN:
            break
    return OrderRequest(
        row.client_order_id, job.symbol, Side(row.side), OrderType(row.type), row.price, row.quantity,
        row.signed_at, row.recv_window,
    )  # fmt: skip


def _answered(session: Session, job: Job, request: OrderRequest) -> IntentRow | None:
    """Return the intent that an answer is about; None when another process has found out by itself.

    Raises:
        LeaseLost: another process has proven this request absent and sent it anew: the answer is not about that.
    """
    row = session.get_one(IntentRow, request.client_order_id, with_for_update=True)
    if (row.token, row.signed_at) != (_lease(job).token, request.signed_at):
        raise LeaseLost(f"the order {request.client_order_id} is no longer ours: it was sent again by another process")
    return row if row.state in (IntentState.SENT, IntentState.UNKNOWN) else None


def _note_refusal(job: Job, request: OrderRequest, refusal: OrderRefused) -> None:
    """Write a proven refusal, and wait before that slot tries again."""
    job.checkpoint("send:after")
    with job.db.transaction("refused") as session:
        row = _answered(session, job, request)
        if row is None:
            return
        move_intent(row, IntentState.REJECTED, now=job.now)
        row.refusal_code, row.cooldown_until = f"{refusal.code} {refusal.message}", job.now + COOL_DOWN
        message = f"{job.name}: {row.side} {row.quantity} at {row.price} was refused: {refusal}"
        session.add(OutboxRow(at=job.now, bot_id=job.bot_id, severity="warning", kind="order.refused", message=message))
    job.tally.refused += 1


def _lease(job: Job) -> Lease:
    if job.lease is None:
        raise LeaseLost("this pass has not taken the lease")
    return job.lease


def _reach(job: Job) -> timedelta:
    """Return how long after signing the venue may still accept a request."""
    return timedelta(milliseconds=job.venue.recv_window_ms) + CLOCK_SKEW
