"""One trader per account and symbol: a row with a fencing token that goes up with every take-over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from cryptotrader.errors import LeaseHeld, LeaseLost
from cryptotrader.store.database import insert_missing
from cryptotrader.store.schema import LeaseRow

NOBODY = ""  # the holder of a lease that was given back: one that ended otherwise keeps its holder's name
_ROW = select(LeaseRow).where(LeaseRow.account == bindparam("of"), LeaseRow.symbol == bindparam("on")).with_for_update()

_LEASE = cast(Table, LeaseRow.__table__)
_GIVE_BACK = (
    update(_LEASE)
    .where(_LEASE.c.account == bindparam("of"), _LEASE.c.symbol == bindparam("on"))
    .where(_LEASE.c.token == bindparam("of_token"))
    .values(expires_at=bindparam("now"), holder=NOBODY)
)
TTL = timedelta(seconds=30)
RENEW_BELOW = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to trade, as it was taken."""

    account: str
    symbol: str
    holder: str
    token: int


def take_lease(session: Session, account: str, symbol: str, *, holder: str, now: datetime) -> Lease:
    """Take the lease for one pass. A holder that did not give it back waits for its end like anybody else.

    Raises:
        LeaseHeld: it is taken; the message says by whom and until when.
    """
    row = _locked(session, account, symbol)
    if row is None:
        fresh = {"account": account, "symbol": symbol, "holder": holder, "token": 0, "expires_at": now}
        insert_missing(session, LeaseRow, [fresh])
        row = _locked(session, account, symbol)
    if row is None or row.expires_at > now:
        held_by = f"by {row.holder} until {row.expires_at:%H:%M:%S} UTC" if row else "by a process that was faster"
        raise LeaseHeld(f"{symbol} on {account} is traded {held_by}")
    row.token, row.holder, row.expires_at = row.token + 1, holder, now + TTL
    return Lease(account, symbol, holder, row.token)


def lease_holder(session: Session, account: str, symbol: str, *, now: datetime) -> str | None:
    """Return who holds the lease now; None when it is free."""
    row = session.get(LeaseRow, (account, symbol))
    return row.holder if row is not None and row.expires_at > now else None


def prove_lease(session: Session, lease: Lease, *, now: datetime, needed: timedelta) -> None:
    """Check in a sending transaction that the lease is ours and outlives the request; renew it when it runs low.

    Args:
        needed: how long the venue may still accept what is about to be sent.

    Raises:
        LeaseLost: it was taken over, or has run out: nothing may be sent.
    """
    row = _locked(session, lease.account, lease.symbol)
    if row is None or (row.holder, row.token) != (lease.holder, lease.token) or row.expires_at <= now:
        raise LeaseLost(f"the lease of {lease.symbol} on {lease.account} is no longer ours (token {lease.token})")
    if row.expires_at - now < max(RENEW_BELOW, needed):
        row.expires_at = now + TTL
    if row.expires_at <= now + needed:
        raise LeaseLost(f"the lease of {lease.symbol} ends before the venue would refuse a late request")


def give_back(session: Session, lease: Lease, *, now: datetime) -> None:
    """End the lease now if it is still ours; the token stays, so that an old holder can never pass for a new one."""
    ours = {"of": lease.account, "on": lease.symbol, "of_token": lease.token, "now": now}
    session.connection().execute(_GIVE_BACK, ours)


def _locked(session: Session, account: str, symbol: str) -> LeaseRow | None:
    return session.scalars(_ROW, {"of": account, "on": symbol}).one_or_none()
