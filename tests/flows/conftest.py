"""One real Prefect server for all tests of flows, and one paper bot."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from cryptotrader.execution.commands import ensure_default_bot
from cryptotrader.execution.desk import Desk, open_desk
from cryptotrader.runtime import Runtime, stopwatch
from cryptotrader.settings import load_settings
from cryptotrader.store.migrate import upgrade
from deployments.environment import server_url, stack_environment
from deployments.readiness import prepare_home
from tests.deployments.local_stack import free_port

SERVER_SECONDS = 120


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run the server as the stack does, and point this process's client to it."""
    settings = load_settings(cryptotrader_home=tmp_path_factory.mktemp("server") / "home", prefect_port=free_port())
    prepare_home(settings.home)
    with (settings.home / "logs" / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start"],
            env=stack_environment(settings, "tests"), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_until_healthy(server_url(settings))
        with temporary_settings({PREFECT_API_URL: f"{server_url(settings)}/api"}):
            yield
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_healthy(url: str) -> None:
    deadline = stopwatch() + SERVER_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{url}/api/health", timeout=1).close()
        except OSError:
            assert stopwatch() < deadline, "the Prefect server did not come up"
            Runtime().wall.sleep(0.2)
        else:
            return


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Return the desk of a fresh home with the default paper bot, whose market stands nearly still."""
    for name, value in {"CRYPTOTRADER_HOME": str(tmp_path), "REPLAY_SPEED": "1", "DATABASE_URL": ""}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database)
    with open_desk(settings) as desk:
        ensure_default_bot(desk)
        yield desk
    gc.collect()  # so that what Prefect left open is reported to the test that left it, where it is expected
