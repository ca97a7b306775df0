"""The local stack: what `cryptotrader up` and `make run` start, keep and end.

Three processes under honcho: Prefect's server, the runner that serves our deployments, and the watch that tells a
person what happens. Each has a session and a log file of its own, so that no terminal can hold it up. Prefect is not
imported here: it would cost two seconds before the first word.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TextIO

from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Message, Printer

from cryptotrader.errors import CryptoTraderError
from cryptotrader.execution.commands import ensure_default_bot
from cryptotrader.execution.desk import open_desk
from cryptotrader.settings import Settings, load_settings
from cryptotrader.store.migrate import upgrade
from deployments.environment import PROCESS_VARIABLE, TERMINAL_VARIABLE, stack_environment
from deployments.processes import end_processes, find_processes, send
from deployments.readiness import check_port, check_python, prepare_home
from deployments.record import StackRecord, load_record, new_record, only_one, record_path, save_record

MODULES = {"server": "prefect server start", "serve": "deployments.serve", "watch": "deployments.watch"}
"""What runs, by the name that logs, messages and `status` use."""
REPORT_SECONDS = 3
"""How long runs that are being stopped may take to tell the server so, before it is stopped too."""

LOG_LINES, LOG_BYTES = 15, 5_000_000


def up(settings: Settings) -> int:
    """Start the stack and stay until a signal or a dead process ends it. Returns the exit code.

    Raises:
        SettingsRefused: this Python, or a port in use.
        StoreError: the home folder or the database cannot be used.
    """
    os.umask(0o077)
    check_python()
    prepare_home(settings.home)
    with only_one(settings.home) as is_first:
        if not is_first:
            _say(running_text(load_record(settings.home)))
            return 0
        return _start(settings)


def _start(settings: Settings) -> int:
    if leftover := load_record(settings.home):
        end_processes(leftover.token)
    check_port(settings)
    upgrade(settings.database)
    with open_desk(settings) as desk:
        ensure_default_bot(desk)
    record = new_record(settings)
    save_record(settings.home, record)
    try:
        return _run(settings, record)
    finally:
        end_processes(record.token)
        record_path(settings.home).unlink(missing_ok=True)


def _run(settings: Settings, record: StackRecord) -> int:
    screen = Screen(sys.stdout)
    stack = Stack(record.token, screen)
    environment = stack_environment(settings, record.token) | {TERMINAL_VARIABLE: str(int(sys.stdout.isatty()))}
    for name in MODULES:
        stack.add_process(name, command(name, settings.home / "logs"), env=environment | {PROCESS_VARIABLE: name})
    signal.signal(signal.SIGHUP, _hang_up)
    stack.loop()
    if stack.was_asked or screen.is_gone:
        return 0
    _say(f"{screen.first_ended} ended by itself; the rest was stopped. The end of its log:")
    _say(tail(settings.home / "logs" / f"{screen.first_ended}.log"))
    return 1


def command(name: str, logs: Path) -> str:
    """Return the shell command of a process: no input, and all output but the watch's lines to a file of its own."""
    log = shlex.quote(str(rotated(logs / f"{name}.log")))
    output = f"2>>{log}" if name == "watch" else f">>{log} 2>&1"
    module = f"-m {MODULES[name]}"
    return f"exec {shlex.quote(sys.executable)} {module} </dev/null {output}"


def rotated(log: Path) -> Path:
    """Return a log file, after putting a big one aside."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-LOG_LINES:]) or f"({log} is empty)"


def running_text(record: StackRecord | None) -> str:
    """Return what a second `up` tells: what runs, where to look, how to end it."""
    if record is None:
        return "CryptoTrader is starting, or stopping, in this folder already: try again in a few seconds."
    processes: dict[str, int] = {}
    for process in find_processes(record.token):
        if process.is_leader:
            processes[process.name] = process.pid
    lines = ["CryptoTrader is running already:", f"  up       pid {record.pid}"]
    lines += [f"  {name:<8} pid {pid}" for name, pid in processes.items()]
    lines += [f"Pages: {record.url}  {record.url}/runs  {record.url}/deployments"]
    return "\n".join([*lines, f"Ctrl-C in its terminal ends it, or: kill {record.pid}"])


class Stack(Manager):
    """honcho's supervisor, ending the runner first so that stopped runs can still tell the server."""

    def __init__(self, token: str, printer: Printer) -> None:
        super().__init__(printer)
        self._token = token
        self._ending = False

    @property
    def was_asked(self) -> bool:
        """Whether a signal, not a dead process, ended the stack."""
        return self.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)

    def terminate(self) -> None:
        """Stop the runner first; called again, by its end or after a deadline, stop the rest.

        honcho calls this on a signal and when a process ends; five seconds later it kills what is left.
        """
        alive = find_processes(self._token)
        runners = [process.pid for process in alive if process.name == "serve" and process.is_leader]
        if self._ending or not runners:
            signal.alarm(0)  # an alarm during Python's own shutdown would kill this process
            super().terminate()
            return
        self._ending = True
        signal.signal(signal.SIGALRM, lambda *_: self.terminate())
        signal.alarm(REPORT_SECONDS)
        send(runners[0], signal.SIGTERM)


class Screen(Printer):
    """The terminal: shows what the watch prints, keeps honcho's own words to itself, and survives being closed."""

    def __init__(self, output: TextIO) -> None:
        super().__init__(output, prefix=False)
        self.first_ended = ""
        self.is_gone = False

    def write(self, message: Message) -> None:
        """Print one message of the watch; note which process ended first."""
        if message.name == SYSTEM_PRINTER_NAME:
            ended = re.match(r"(\w+) stopped", message.data)
            self.first_ended = self.first_ended or (ended[1] if ended else "")
        elif not self.is_gone:
            self._print(message)

    def _print(self, message: Message) -> None:
        try:
            super().write(message)
        except OSError:  # the terminal was closed
            self.is_gone = True
            os.kill(os.getpid(), signal.SIGTERM)


def _hang_up(_signum: int, _frame: FrameType | None) -> None:
    """Treat a closed terminal as SIGTERM, which honcho knows. Its forked helpers inherit this and ignore SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the stack from the environment's settings; a refusal is one line and exit code 2."""
    try:
        return up(load_settings())
    except CryptoTraderError as refused:
        sys.stderr.write(f"{refused}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
