"""Points of the equity curve."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from cryptotrader.store.schema import EquityRow


def last_equity(session: Session, bot_id: int) -> EquityRow | None:
    """Return the newest point of a bot's equity curve."""
    query = select(EquityRow).where(EquityRow.bot_id == bot_id).order_by(EquityRow.market_at.desc())
    return session.scalars(query.limit(1)).one_or_none()
