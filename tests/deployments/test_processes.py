"""Only processes with a stack's own token are found and ended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from deployments.environment import PROCESS_VARIABLE, STACK_VARIABLE
from deployments.processes import end_processes, find_processes

Start = Callable[..., subprocess.Popen[str]]
OBEYS = "print('up', flush=True); import time; time.sleep(60)"
IGNORES_TERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {OBEYS}"


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start_one(token: str, code: str = OBEYS) -> subprocess.Popen[str]:
        environment = os.environ | {STACK_VARIABLE: token, PROCESS_VARIABLE: "serve"}
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def test_finds_its_own_by_name(start: Start) -> None:
    mine = start("token-1")
    start("token-2")
    found = find_processes("token-1")
    assert [(process.pid, process.name, process.is_leader) for process in found] == [(mine.pid, "serve", True)]


def test_ends_its_own_and_spares_others(start: Start) -> None:
    mine, foreign = start("token-3"), start("token-4")
    assert end_processes("token-3") == 1
    assert mine.wait(timeout=5) == -15
    assert foreign.poll() is None


def test_kills_what_ignores_term(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.processes.TERM_SECONDS", 0.2)
    stubborn = start("token-5", IGNORES_TERM)
    assert end_processes("token-5") == 1
    assert stubborn.wait(timeout=5) == -9


def test_nothing_to_end_is_no_error() -> None:
    assert end_processes("token-of-nobody") == 0
