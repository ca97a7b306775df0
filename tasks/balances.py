"""The door to balance snapshots."""

from __future__ import annotations

import asyncio

from prefect import task

from cryptotrader.execution.desk import open_desk
from cryptotrader.execution.snapshot import BalanceLine, take_snapshot
from cryptotrader.settings import load_settings


def _snapshot(account: str) -> tuple[BalanceLine, ...]:
    with open_desk(load_settings()) as desk:
        return take_snapshot(desk, account)


@task(
    name="snapshot",
    task_run_name="snapshot {account}",
    retries=2,
    retry_delay_seconds=1,
    tags=["balances"],
    persist_result=False,
)
async def snapshot_account(account: str) -> list[dict[str, str]]:
    """Record the balances of an account; numbers come back as exact strings."""
    lines = await asyncio.to_thread(_snapshot, account)
    return [{name: str(getattr(line, name)) for name in ("asset", "free", "locked", "total")} for line in lines]
