"""What people did, chained by hashes: change a row and every later one tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from cryptotrader.errors import BooksDisagree
from cryptotrader.store.schema import AuditRow

GENESIS = "0" * 64


def append_audit(
    session: Session, *, actor: str, action: str, subject: str, detail: Mapping[str, str], at: datetime
) -> None:
    """Write one row at the end of the chain, in the transaction of what it tells."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        session.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
    last = session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(1)).one_or_none()
    row = AuditRow(
        at=at, actor=actor, action=action, subject=subject, detail=json.dumps(dict(detail), sort_keys=True),
        previous_hash=GENESIS if last is None else last.hash, hash="",
    )  # fmt: skip
    row.hash = _fingerprint(row)
    session.add(row)


def verify_audit(session: Session) -> int:
    """Return how many rows the chain has.

    Raises:
        BooksDisagree: a row was changed, removed or put in; the message names the first that does not fit.
    """
    previous, count = GENESIS, 0
    for row in session.scalars(select(AuditRow).order_by(AuditRow.id)):
        if row.previous_hash != previous or row.hash != _fingerprint(row):
            raise BooksDisagree(f"audit row {row.id} ({row.action} {row.subject}) does not fit the chain")
        previous, count = row.hash, count + 1
    return count


def _fingerprint(row: AuditRow) -> str:
    parts = (row.previous_hash, row.at.isoformat(), row.actor, row.action, row.subject, row.detail)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
