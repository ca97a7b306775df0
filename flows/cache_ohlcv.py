"""Keep the candles of a symbol."""

from __future__ import annotations

from prefect import flow
from prefect.states import Completed, State

from flows.parameters import Symbol, Timeframe
from tasks.candles import cache_symbol


@flow(name="cache-ohlcv", flow_run_name="cache {symbol} {timeframe}", validate_parameters=True, persist_result=False)
async def cache_ohlcv(symbol: Symbol = "BTC/USDT", timeframe: Timeframe = "1m") -> State:
    """Add the closed candles that the cache does not have yet.

    Args:
        symbol: Base and quote asset with a slash between.
        timeframe: Length of a candle.
    """
    report = await cache_symbol(symbol, timeframe)
    return Completed(message=f"{symbol} {timeframe}: {report['added']} candles added, last {report['last']}.")
