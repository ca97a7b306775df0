"""Alerts, written with the fact that they tell, delivered later."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cryptotrader.store.schema import OutboxRow

REPEAT_AFTER = timedelta(hours=1)


def add_alert(
    session: Session, *, bot_id: int | None, severity: str, kind: str, message: str, at: datetime, repeat: bool = False
) -> None:
    """Write an alert; the same words of the same kind within the hour are not repeated unless asked for."""
    if not repeat:
        query = select(OutboxRow.id).where(
            OutboxRow.kind == kind, OutboxRow.message == message, OutboxRow.at > at - REPEAT_AFTER
        )
        if session.scalar(query.limit(1)) is not None:
            return
    session.add(OutboxRow(at=at, bot_id=bot_id, severity=severity, kind=kind, message=message))
