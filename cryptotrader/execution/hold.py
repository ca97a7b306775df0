"""Hold a bot's lease while a person's command changes what a pass works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from cryptotrader.core.orders import Ticker
from cryptotrader.errors import InputRefused, LeaseHeld, LeaseLost
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.job import Job, open_job
from cryptotrader.store.bots import find_bot
from cryptotrader.store.database import Session
from cryptotrader.store.lease import TTL, Lease, give_back, prove_lease, take_lease
from cryptotrader.store.schema import BotRow

BETWEEN_TRIES_S = 1


def find_open_bot(session: Session, name: str) -> BotRow:
    """Return a bot that is not closed.

    Raises:
        InputRefused: there is none of this name, or it is closed.
    """
    bot = find_bot(session, name)
    if bot.closed_at is not None:
        raise InputRefused(
            f"Bot {name!r} was closed at {bot.closed_at:%Y-%m-%d %H:%M:%S} UTC.", field="bot", value=name,
            hint="A closed bot is history: add another.",
        )  # fmt: skip
    return bot


@contextmanager
def holding(desk: Desk, name: str) -> Iterator[Job]:
    """Take the lease of a bot, waiting for a pass that is at work, and give it back at the end.

    Raises:
        InputRefused: no such bot, or a closed one.
        LeaseHeld: another process kept it for longer than a lease lasts.
    """
    with desk.db.reading() as session:
        account = find_open_bot(session, name).account
    job = open_job(desk.db, desk.venue(account), desk.runtime, name)
    lease = _wait_for_lease(job)
    try:
        yield replace(job, lease=lease)
    finally:
        with desk.db.transaction("release") as session:
            give_back(session, lease, now=job.now)


def keep_lease(session: Session, job: Job) -> None:
    """Check in a writing transaction that the lease is still ours, and renew it when it runs low.

    Raises:
        LeaseLost: it is not: nothing may be written.
    """
    if job.lease is None:
        raise LeaseLost("this command has not taken the lease")
    prove_lease(session, job.lease, now=job.now, needed=timedelta(0))


def see(job: Job) -> Ticker:
    """Return the price now, as a pass would see it."""
    return job.venue.fetch_ticker(job.symbol)


def _wait_for_lease(job: Job) -> Lease:
    until = job.now + TTL + timedelta(seconds=BETWEEN_TRIES_S)
    while True:
        try:
            with job.db.transaction("lease") as session:
                return take_lease(session, job.venue.account, job.symbol, holder=job.runtime.holder, now=job.now)
        except LeaseHeld:
            if job.now >= until:
                raise
        job.runtime.wall.sleep(BETWEEN_TRIES_S)
