"""What the paper exchange tells of its past: finished candles that it has walked, and never one ahead."""

from __future__ import annotations

from decimal import Decimal

from cryptotrader.core.candles import Candle
from cryptotrader.core.market import Market
from cryptotrader.runtime import from_ms
from cryptotrader.venue.feed import CandleBlock, Feed

UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))


def timeframe_name(timeframe_ms: int) -> str:
    """Return a time frame as exchanges write it: 60000 is "1m"."""
    for unit, length_ms in UNITS:
        if timeframe_ms % length_ms == 0:
            return f"{timeframe_ms // length_ms}{unit}"
    return f"{timeframe_ms}ms"


def candles_between(feed: Feed, market: Market, *, since_ms: int, walked: int, limit: int) -> tuple[Candle, ...]:
    """Return candles that opened at `since_ms` or later, of the first `walked`, oldest first, at most `limit`.

    A feed has no volumes: they are 0.
    """
    index = _first_since(feed, since_ms, walked)
    candles: list[Candle] = []
    while index < walked and len(candles) < limit and (block := feed.block(index)) is not None:
        count = min(len(block), walked - index, limit - len(candles))
        candles += [_candle(block, row, market) for row in range(count)]
        index += count
    return tuple(candles)


def _first_since(feed: Feed, since_ms: int, walked: int) -> int:
    """Return the position of the first candle that opened at `since_ms` or later, at most `walked`."""
    low, high = 0, walked
    while low < high:
        middle = (low + high) // 2
        block = feed.block(middle)
        if block is None or int(block.opened_at_ms[0]) >= since_ms:
            high = middle
        else:
            low = middle + 1
    return low


def _candle(block: CandleBlock, row: int, market: Market) -> Candle:
    return Candle(
        opened_at=from_ms(int(block.opened_at_ms[row])),
        open=market.price(int(block.open[row])),
        high=market.price(int(block.high[row])),
        low=market.price(int(block.low[row])),
        close=market.price(int(block.close[row])),
        volume=Decimal(0),
    )
