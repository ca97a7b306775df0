"""Keep finished candles of a symbol in our database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptotrader.core.candles import timeframe_ms
from cryptotrader.execution.desk import Desk
from cryptotrader.runtime import EPOCH
from cryptotrader.store.candles import last_candle_at, save_candles

PAGE = 1000


@dataclass(frozen=True, slots=True)
class CacheReport:
    """What a run of the cache did."""

    symbol: str
    timeframe: str
    added: int
    last: datetime | None


def cache_candles(desk: Desk, symbol: str, timeframe: str, account: str = "paper") -> CacheReport:
    """Fetch the finished candles that are missing, from the newest stored one on (a late revision of it counts)."""
    timeframe_ms(timeframe)  # refuse an unknown one before anything happens
    venue, added = desk.venue(account), 0
    with desk.db.reading() as session:
        last = last_candle_at(session, symbol, timeframe)
    while True:
        page = venue.fetch_candles(symbol, timeframe, last or EPOCH, PAGE)
        with desk.db.transaction("candles") as session:
            added += save_candles(session, symbol, timeframe, page, source=venue.market_label)
        if page:
            last = page[-1].opened_at
        if len(page) < PAGE:
            return CacheReport(symbol, timeframe, added, last)
        last = page[-1].opened_at + timedelta(milliseconds=1)
