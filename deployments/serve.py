"""Serve the deployments: `python -m deployments.serve`.

Waits for the API, registers blocks, ends what an earlier stack left unfinished, deploys every flow and then runs
what is scheduled or asked for, each run in a process of its own.
"""

from __future__ import annotations

import asyncio
import os

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.runner import Runner
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from blocks.exchange_credentials import ExchangeCredentials, credentials_environment, load_exchange_credentials
from blocks.trading_database import TradingDatabase, database_environment, load_trading_database
from cryptotrader.runtime import Runtime
from cryptotrader.settings import Settings, load_settings
from flows.cache_ohlcv import cache_ohlcv
from flows.rebalance_grid import rebalance_grid
from flows.snapshot_balances import snapshot_balances
from flows.sweep_risk import sweep_risk
from flows.tend_bots import tend_bots
from tasks.survey import survey_bots

CLOCK = Runtime().wall

POLL_SECONDS = 3
"""How soon a run that was asked for starts; Prefect's own 10 s makes people think that nothing happens."""

SERVER_DEADLINE_SECONDS = 180
"""A server with a fresh database took 22 s on two cores; a small machine may need much longer."""


class LocalRunner(Runner):
    """Prefect's runner, stopping in order on SIGTERM.

    Prefect 3.8.8's own handler calls `stop()` inside its event loop, where that only makes a coroutine that nobody
    awaits: runs are then torn away instead of being stopped and reported.
    """

    def handle_sigterm(self, *_args: object) -> None:
        """Stop polling and cancel what runs; `start` then returns."""
        self._stopping_task = asyncio.get_event_loop().create_task(self.astop())


async def wait_for_server(client: PrefectClient, deadline_seconds: float = SERVER_DEADLINE_SECONDS) -> None:
    """Return when the API answers.

    Raises:
        TimeoutError: it did not within the deadline.
    """
    async with asyncio.timeout(deadline_seconds):
        while await client.api_healthcheck() is not None:
            await CLOCK.sleep_async(0.25)


async def register_blocks() -> None:
    """Make our block types known, so that the UI can make documents of them."""
    for block in (ExchangeCredentials, TradingDatabase):
        await block.aregister_type_and_schema()


async def export_blocks(settings: Settings) -> None:
    """Hand what the blocks hold to the runs: once, in the environment, because loading a block costs 0.2 s."""
    os.environ.update(credentials_environment(await load_exchange_credentials(settings)))
    os.environ.update(database_environment(await load_trading_database(settings)))


def _deployment(flow: Flow, name: str, **options: object) -> RunnerDeployment:
    by_module = EntrypointType.MODULE_PATH  # a path entrypoint would load the file as a second module
    return RunnerDeployment.from_flow(flow, name, entrypoint_type=by_module, tags=["cryptotrader"], **options)


def build_deployments(settings: Settings, bots: list[dict[str, str]]) -> list[RunnerDeployment]:
    """Return the scheduled deployment, then every flow once for each bot, account and symbol, to be started by hand."""
    one_at_a_time = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    every = settings.tend_every_seconds
    built = [_deployment(tend_bots, "local", interval=every, concurrency_limit=one_at_a_time)]
    for name in sorted({bot["name"] for bot in bots}):
        built += [_deployment(flow, name, parameters={"bot": name}) for flow in (rebalance_grid, sweep_risk)]
    for account in sorted({bot["account"] for bot in bots}):
        built += [_deployment(snapshot_balances, account, parameters={"account": account})]
    for symbol in sorted({bot["symbol"] for bot in bots}):
        name = symbol.lower().replace("/", "-")
        built += [_deployment(cache_ohlcv, name, parameters={"symbol": symbol, "timeframe": "1m"})]
    return built


async def drop_missed_runs(client: PrefectClient) -> None:
    """Delete scheduled runs whose time passed while nothing ran: one tending now does the work of all of them."""
    missed = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime(before_=CLOCK.now()),
    )
    for run in await client.read_flow_runs(flow_run_filter=missed, sort=FlowRunSort.START_TIME_ASC):
        if run.auto_scheduled:
            await client.delete_flow_run(run.id)


async def end_unfinished_runs(client: PrefectClient) -> int:
    """Mark runs as crashed that an earlier stack left behind, and free the slots that they held; return how many.

    Only `up` starts runners, and only one `up` runs in a home, so whatever is unfinished now has no process. The
    server keeps the leases of concurrency slots in memory: after its own end nobody else would free them.
    """
    unfinished = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    chosen = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=unfinished)))
    runs = await client.read_flow_runs(flow_run_filter=chosen, sort=FlowRunSort.START_TIME_ASC)
    for run in runs:
        await client.set_flow_run_state(run.id, Crashed(message="The stack that ran this is gone."), force=True)
    for limit in await client.read_global_concurrency_limits(limit=200, offset=0):
        if limit.active_slots and limit.name.startswith("deployment:"):
            await client.release_concurrency_slots([limit.name], slots=limit.active_slots, occupancy_seconds=0)
    return len(runs)


async def serve() -> None:
    """Deploy everything, ask for one tending at once so that nobody waits a minute, and run until told to stop."""
    settings = load_settings()
    runner = LocalRunner(
        name="local", query_seconds=POLL_SECONDS, prefetch_seconds=POLL_SECONDS, pause_on_shutdown=False
    )
    async with get_client() as client:
        await wait_for_server(client)
        await register_blocks()
        await export_blocks(settings)
        await end_unfinished_runs(client)
        await drop_missed_runs(client)
        tend, *others = build_deployments(load_settings(), await survey_bots())
        tend_id = await runner.aadd_deployment(tend)
        await client.create_flow_run_from_deployment(tend_id, name="first tending of this start")
        for deployment in others:
            await runner.aadd_deployment(deployment)
    await runner.start()


if __name__ == "__main__":
    asyncio.run(serve())
