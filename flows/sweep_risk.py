"""Look at one bot for what should not be."""

from __future__ import annotations

from prefect import flow
from prefect.states import Completed, State

from flows.parameters import BotName
from tasks.record import record_findings
from tasks.risk import sweep


@flow(name="sweep-risk", flow_run_name="sweep {bot}", validate_parameters=True, persist_result=False)
async def sweep_risk(bot: BotName = "btc-usdt") -> State:
    """Check a bot for drift between its books and the venue's, its range, stale prices and a dead lease.

    Makes a task and an artifact only when something was found.

    Args:
        bot: Name of the bot, as `cryptotrader status` shows it.
    """
    findings = await sweep(bot)
    if not findings:
        return Completed(name="Clean", message=f"{bot}: books, range, prices and lease are in order.")

    await record_findings(bot, findings)
    told = "; ".join(f"{found['severity']} {found['kind']}: {found['message']}" for found in findings)
    return Completed(name="Found", message=f"{bot}: {told}")
