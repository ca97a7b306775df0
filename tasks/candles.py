"""The door to the candle cache."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import task
from pydantic import TypeAdapter

from cryptotrader.execution.candle_cache import CacheReport, cache_candles
from cryptotrader.execution.desk import open_desk
from cryptotrader.settings import load_settings


def _cache(symbol: str, timeframe: str) -> CacheReport:
    with open_desk(load_settings()) as desk:
        return cache_candles(desk, symbol, timeframe)


@task(
    name="cache candles",
    task_run_name="cache {symbol} {timeframe}",
    retries=2,
    retry_delay_seconds=1,
    tags=["candles"],
    persist_result=False,
)
async def cache_symbol(symbol: str, timeframe: str) -> dict[str, Any]:
    """Add the closed candles of a symbol that the cache does not have yet."""
    report = await asyncio.to_thread(_cache, symbol, timeframe)
    return TypeAdapter(CacheReport).dump_python(report, mode="json")
