"""Tend every bot of this host: the one scheduled run."""

from __future__ import annotations

from prefect import flow
from prefect.runtime import flow_run
from prefect.states import Completed, Failed, State

from cryptotrader.settings import load_settings
from flows.cache_ohlcv import cache_ohlcv
from flows.rebalance_grid import rebalance_grid
from flows.snapshot_balances import snapshot_balances
from flows.sweep_risk import sweep_risk
from tasks.survey import survey_bots

FULL_ROUND_SECONDS = 300
"""How often balances and candles are written down; trading and risk are looked at in every run."""


@flow(name="tend-bots", flow_run_name="tend all bots", validate_parameters=True, persist_result=False)
async def tend_bots() -> State:
    """Rebalance and sweep every bot; every fifth minute also snapshot balances and cache candles.

    One bot's failure does not keep the others from being tended; the run fails at the end and names it.
    """
    bots = await survey_bots()
    since_round = flow_run.scheduled_start_time.timestamp() % FULL_ROUND_SECONDS
    is_full_round = since_round < load_settings().tend_every_seconds

    ended: list[State] = []
    for bot in bots:
        ended += [await rebalance_grid(bot["name"], return_state=True)]
        ended += [await sweep_risk(bot["name"], return_state=True)]
    if is_full_round:
        ended += [await snapshot_balances(name, return_state=True) for name in sorted({bot["account"] for bot in bots})]
        ended += [await cache_ohlcv(symbol, return_state=True) for symbol in sorted({bot["symbol"] for bot in bots})]

    failed = [state.message or state.name for state in ended if not state.is_completed()]
    if failed:
        return Failed(message=f"{len(failed)} of {len(ended)} runs failed: {'; '.join(failed)}")
    return Completed(message=" ".join(state.message for state in ended if state.message) or "No bots yet.")
