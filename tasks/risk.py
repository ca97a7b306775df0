"""The door to the risk sweep."""

from __future__ import annotations

import asyncio

from cryptotrader.execution.desk import open_desk
from cryptotrader.execution.sweep import Finding, sweep_bot
from cryptotrader.settings import load_settings


def _sweep(bot: str) -> tuple[Finding, ...]:
    with open_desk(load_settings()) as desk:
        return sweep_bot(desk, bot)


async def sweep(bot: str) -> list[dict[str, str]]:
    """Return what is wrong with a bot: drift, range, stale data, dead lease. A plain function: mostly it is nothing."""
    findings = await asyncio.to_thread(_sweep, bot)
    return [{"kind": found.kind, "severity": found.severity, "message": found.message} for found in findings]
