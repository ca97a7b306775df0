"""Flows against a real Prefect server, the paper venue and SQLite."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey, FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import State
from prefect.client.schemas.sorting import ArtifactSort
from prefect.exceptions import ParameterTypeError

from cryptotrader.execution.desk import Desk
from cryptotrader.store.lease import take_lease
from flows.cache_ohlcv import cache_ohlcv
from flows.rebalance_grid import rebalance_grid
from flows.snapshot_balances import snapshot_balances
from flows.sweep_risk import sweep_risk
from flows.tend_bots import tend_bots

pytestmark = [
    pytest.mark.prefect,
    pytest.mark.usefixtures("prefect_server", "desk"),
    # Prefect's clients leave sockets and loops for the garbage collector when an event loop ends with a test.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <(socket|_Unix|asyncio|ssl):pytest.PytestUnraisableExceptionWarning"
    ),
]


def rebalance() -> State:
    return asyncio.run(rebalance_grid("btc-usdt", return_state=True))


def artifact(key: str) -> object:
    chosen = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))

    async def read() -> object:
        async with get_client() as client:
            found = await client.read_artifacts(artifact_filter=chosen, sort=ArtifactSort.CREATED_DESC)
            return found[0].data if found else None

    return asyncio.run(read())


def tasks_made(state: State) -> int:
    """Return how many task runs a flow run made, as the server counted them."""

    async def read() -> int:
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        async with get_client() as client:
            return len(await client.read_task_runs(flow_run_filter=chosen))

    return asyncio.run(read())


def test_rebalance_places_the_grid_and_leaves_something_to_read() -> None:
    state = rebalance()
    assert state.is_completed()
    assert "orders placed" in str(state.message)
    assert "reason" in str(artifact("plan-btc-usdt"))
    assert "SYNTHETIC" in str(artifact("profit-btc-usdt"))


def test_second_rebalance_is_idle_and_makes_no_task() -> None:
    rebalance()
    state = rebalance()
    assert (state.name, state.is_completed()) == ("Idle", True)
    assert tasks_made(state) == 0


def test_rebalance_is_skipped_while_another_process_trades(desk: Desk) -> None:
    now = desk.runtime.wall.now()
    with desk.db.transaction("lease") as session:
        take_lease(session, "paper", "BTC/USDT", holder="another-host:1:1", now=now)
    state = rebalance()
    assert (state.name, state.is_completed()) == ("Skipped", True)
    assert "another-host:1:1" in str(state.message)


def test_rebalance_trades_after_a_dead_lease(desk: Desk) -> None:
    long_ago = desk.runtime.wall.now() - timedelta(minutes=5)
    with desk.db.transaction("lease") as session:
        take_lease(session, "paper", "BTC/USDT", holder="another-host:1:1", now=long_ago)
    assert "orders placed" in str(rebalance().message)


def test_sweep_of_a_sound_bot_is_clean() -> None:
    rebalance()
    state = asyncio.run(sweep_risk("btc-usdt", return_state=True))
    assert (state.name, tasks_made(state)) == ("Clean", 0)


def test_snapshot_tells_what_is_held() -> None:
    state = asyncio.run(snapshot_balances("paper", return_state=True))
    assert "USDT" in str(state.message)


def test_cache_adds_candles() -> None:
    state = asyncio.run(cache_ohlcv("BTC/USDT", "1m", return_state=True))
    assert "candles added" in str(state.message)


def test_tending_tends_every_bot() -> None:
    state = asyncio.run(tend_bots(return_state=True))
    assert state.is_completed()
    assert "btc-usdt: " in str(state.message)


@pytest.mark.parametrize("name", ["", "BTC/USDT", "../etc", "x" * 64])
def test_refuses_what_is_no_bot_name(name: str) -> None:
    with pytest.raises(ParameterTypeError):
        asyncio.run(rebalance_grid(name))
