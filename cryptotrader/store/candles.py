"""Cached candles, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cryptotrader.core.candles import Candle
from cryptotrader.store.schema import CandleRow


def last_candle_at(session: Session, symbol: str, timeframe: str) -> datetime | None:
    """Return the open time of the newest final candle."""
    final = (CandleRow.symbol == symbol, CandleRow.timeframe == timeframe, CandleRow.is_final)
    return session.scalar(select(func.max(CandleRow.opened_at)).where(*final))


def save_candles(session: Session, symbol: str, timeframe: str, candles: Iterable[Candle], *, source: str) -> int:
    """Insert candles, or revise those that are there already; return how many are new or changed."""
    changed = 0
    for candle in candles:
        prices = {name: getattr(candle, name) for name in ("open", "high", "low", "close", "volume")}
        row = session.get(CandleRow, (symbol, timeframe, candle.opened_at))
        if row is None:
            row = CandleRow(symbol=symbol, timeframe=timeframe, opened_at=candle.opened_at, source=source, **prices)
            session.add(row)
            changed += 1
        elif any(getattr(row, name) != value for name, value in prices.items()):
            for name, value in prices.items():
                setattr(row, name, value)
            changed += 1
    return changed
