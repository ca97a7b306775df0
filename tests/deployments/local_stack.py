"""A whole stack on a pseudo-terminal of its own, for tests."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployments.processes import end_processes, find_processes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class LocalStack:
    """`cryptotrader up` as a person runs it: on a terminal, in an empty folder."""

    home: Path
    port: int = field(default_factory=free_port)
    seen: str = ""
    pid: int = 0
    terminal: int = -1
    status: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        own = {"CRYPTOTRADER_HOME": str(self.home), "PREFECT_PORT": str(self.port), "TEND_EVERY_SECONDS": "10"}
        return kept | own | {"REPLAY_SPEED": "600"}

    @property
    def token(self) -> str:
        return json.loads((self.home / "up.json").read_text())["token"]

    def start(self) -> None:
        self.seen, self.status = "", None
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(sys.executable, [sys.executable, "-m", "deployments.stack"], self.environment)

    def read(self, seconds: float = 0.1) -> None:
        """Take what the stack printed."""
        if self.terminal >= 0 and select.select([self.terminal], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.terminal, 65536).decode()
            except OSError:  # the other side is gone
                self.close_terminal()

    def wait_for(self, text: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} not seen in {seconds} s: {self.seen}"
            assert self.terminal >= 0, f"ended without {text!r}: {self.seen}"
            self.read()

    def close_terminal(self) -> None:
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1

    def kill(self, signum: signal.Signals) -> None:
        assert self.pid > 0, "the stack was not started: a signal to 0 would end the tests themselves"
        os.kill(self.pid, signum)

    def wait_for_end(self, token: str, seconds: float) -> int:
        """Return the exit code (negative: the signal) once `up` and every process with its token are gone."""
        deadline = time.monotonic() + seconds
        while self.status is None or find_processes(token):
            assert time.monotonic() < deadline, f"left after {seconds} s: {find_processes(token)}"
            self.read(0.05)
            if self.status is None:
                ended, status = os.waitpid(self.pid, os.WNOHANG)
                self.status = os.waitstatus_to_exitcode(status) if ended else None
        return self.status

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Ask the stack's Prefect server."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def clean_up(self) -> None:
        """End whatever a failed test left."""
        if self.status is None and self.pid:
            self.kill(signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if (self.home / "up.json").exists():
            end_processes(self.token)
        self.close_terminal()
