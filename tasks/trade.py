"""The door to trading."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import task
from pydantic import TypeAdapter

from cryptotrader.execution.desk import open_desk
from cryptotrader.execution.tend import TendReport, trade_until_now
from cryptotrader.settings import load_settings


def _trade(bot: str) -> TendReport:
    with open_desk(load_settings()) as desk:
        return trade_until_now(desk, bot)


@task(name="trade", task_run_name="trade {bot}", retries=0, tags=["trading"], persist_result=False)
async def trade_bot(bot: str) -> dict[str, Any]:
    """Trade one bot up to now; numbers come back as exact strings."""
    report = await asyncio.to_thread(_trade, bot)
    return TypeAdapter(TendReport).dump_python(report, mode="json")
