"""Cancel orders: the intent says so first; only the venue's status proves it."""

from __future__ import annotations

from cryptotrader.errors import OutcomeUnknown, VenueUnavailable
from cryptotrader.execution.job import Job
from cryptotrader.execution.settle import settle
from cryptotrader.store.intents import move_intent, reload
from cryptotrader.store.schema import IntentRow, IntentState


def cancel(job: Job, client_order_id: str) -> None:
    """Cancel one of our open orders and take over what the venue proves. Needs no lease: a stop must always work."""
    with job.db.transaction("cancel") as session:
        intent = session.get_one(IntentRow, client_order_id)
        if intent.state != IntentState.OPEN:
            return
        move_intent(intent, IntentState.CANCEL_SENT, now=job.now)
    job.checkpoint("cancel:before")
    try:
        order = job.venue.cancel_order(job.symbol, client_order_id)
        if order is None:  # "unknown order" proves nothing: look it up
            order = job.venue.fetch_order(job.symbol, client_order_id)
    except (OutcomeUnknown, VenueUnavailable):
        with job.db.transaction("cancel-unknown") as session:
            move_intent(reload(session, intent), IntentState.UNKNOWN_CANCEL, now=job.now)
        return
    job.checkpoint("cancel:after")
    if order is not None:
        settle(job, intent, order, by_us=True)
    job.tally.cancelled += 1
