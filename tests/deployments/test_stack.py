"""The whole local stack on a pseudo-terminal: a story in several starts on one home folder."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from deployments.processes import find_processes
from tests.deployments.local_stack import LocalStack

pytestmark = pytest.mark.stack

FRESH_START_SECONDS, LATER_START_SECONDS, END_SECONDS = 90, 60, 20


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    stack = LocalStack(tmp_path_factory.mktemp("stack") / "home")
    yield stack
    stack.clean_up()


def runs_of(stack: LocalStack, *, auto_scheduled: bool) -> list[dict]:
    runs = stack.post("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC", "limit": 200})
    return [run for run in runs if run["auto_scheduled"] == auto_scheduled and run["start_time"]]


def first_tendings(stack: LocalStack, since: float) -> list[dict]:
    started = runs_of(stack, auto_scheduled=False)
    return [run for run in started if run["deployment_id"] and run["start_time"] > iso(since)]


def iso(timestamp: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(timestamp))


def fills_shown(stack: LocalStack) -> int:
    return int(re.findall(r"fills (\d+)", stack.seen)[-1])


def test_shows_fills_and_completes_scheduled_runs(stack: LocalStack) -> None:
    stack.start()
    stack.wait_for("SYNTHETIC", FRESH_START_SECONDS)
    stack.wait_for("buy", 30)
    stack.wait_for("equity", 30)
    assert "Ctrl-C stops everything" in stack.seen
    assert f"http://127.0.0.1:{stack.port}/runs" in stack.seen

    deadline = time.monotonic() + 40
    while "COMPLETED" not in {run["state_type"] for run in runs_of(stack, auto_scheduled=True)}:
        assert time.monotonic() < deadline, "no scheduled run completed"
        stack.read(0.5)


def test_leaves_a_plan_and_a_profit_to_read(stack: LocalStack) -> None:
    latest = stack.post("/artifacts/latest/filter", {})
    assert {"plan-btc-usdt", "profit-btc-usdt"} <= {artifact["key"] for artifact in latest}


def test_second_start_tells_what_runs(stack: LocalStack) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "deployments.stack"], env=stack.environment, capture_output=True, text=True, timeout=30
    )
    assert second.returncode == 0
    for told in ("running already", f"pid {stack.pid}", "server", "serve", "watch", str(stack.port), "Ctrl-C"):
        assert told in second.stdout
    assert find_processes(stack.token)


def test_killed_stack_ends_its_processes(stack: LocalStack) -> None:
    token = stack.token
    stack.kill(signal.SIGKILL)
    assert stack.wait_for_end(token, END_SECONDS) == -signal.SIGKILL
    assert (stack.home / "up.json").exists()


def test_start_after_a_kill_continues_the_same_grid(stack: LocalStack) -> None:
    started_at = time.time()
    stack.start()
    stack.wait_for("equity", LATER_START_SECONDS)
    assert fills_shown(stack) > 0

    deadline = time.monotonic() + 40
    while not any(run["end_time"] for run in first_tendings(stack, since=started_at)):
        assert time.monotonic() < deadline, "the first tending of this start did not end"
        stack.read(0.5)
    old = [run for run in runs_of(stack, auto_scheduled=True) if run["expected_start_time"] < iso(started_at)]
    assert all(run["end_time"] for run in old)


def test_closed_terminal_ends_every_process(stack: LocalStack) -> None:
    token = stack.token
    stack.close_terminal()
    assert stack.wait_for_end(token, END_SECONDS) == 0
    assert not (stack.home / "up.json").exists()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_signal_while_starting_ends_every_process(stack: LocalStack, signum: signal.Signals) -> None:
    stack.start()
    stack.wait_for("Prefect server starting", LATER_START_SECONDS)
    token = stack.token
    stack.kill(signum)
    assert stack.wait_for_end(token, END_SECONDS) == 0


def test_dead_process_is_named_with_its_log(stack: LocalStack) -> None:
    stack.start()
    stack.wait_for("Prefect server starting", LATER_START_SECONDS)
    token = stack.token
    runner = next(process for process in find_processes(token) if process.name == "serve" and process.is_leader)
    (stack.home / "logs" / "serve.log").write_text("the last words\n")
    subprocess.run(["kill", "-9", str(runner.pid)], check=True)
    assert stack.wait_for_end(token, END_SECONDS) == 1
    assert "serve ended by itself" in stack.seen
    assert "the last words" in stack.seen
