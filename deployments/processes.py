"""Find and end the processes of a stack, and no others: by the token that each inherited in its environment.

Process groups and parents are not enough: a killed parent leaves orphans, and ids are used again by strangers. A
token is random and inherited by every grandchild. Needs /proc; where there is none, nothing is found.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptotrader.runtime import Runtime, stopwatch
from deployments.environment import PROCESS_VARIABLE, STACK_VARIABLE

PROC = Path("/proc")
TERM_SECONDS, KILL_SECONDS = 3.0, 3.0


@dataclass(frozen=True, slots=True)
class StackProcess:
    """A living process of a stack.

    Attributes:
        name: what it is or descends from: server, serve or watch.
        is_leader: whether it is that process itself, which leads a session, and not a descendant.
    """

    pid: int
    name: str
    is_leader: bool


def find_processes(token: str) -> tuple[StackProcess, ...]:
    """Return the living processes that carry a stack's token, oldest first; never this process itself."""
    found = []
    for folder in PROC.glob("[0-9]*"):
        environment = _environment(folder)
        if environment.get(STACK_VARIABLE) == token and int(folder.name) != os.getpid():
            pid = int(folder.name)
            found.append(StackProcess(pid, environment.get(PROCESS_VARIABLE, "?"), is_leader=_leads_session(pid)))
    return tuple(sorted(found, key=lambda process: process.pid))


def _leads_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process; empty for a zombie and for one that is not ours to read."""
    try:
        content = (folder / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(entry.split("=", 1) for entry in content.split("\0") if "=" in entry)


def end_processes(token: str, *, spare: Iterable[int] = ()) -> int:
    """End every process of a stack: SIGTERM, then SIGKILL after a deadline. Returns how many there were."""
    spared = set(spare)

    def living() -> list[int]:
        return [process.pid for process in find_processes(token) if process.pid not in spared]

    count = len(living())
    for signum, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        deadline = stopwatch() + seconds
        for pid in living():
            send(pid, signum)
        while living() and stopwatch() < deadline:
            Runtime().wall.sleep(0.05)
    return count


def send(pid: int, signum: signal.Signals) -> None:
    """Send a signal to a process that may be gone by now."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return


def port_holder(port: int) -> str:
    """Return who listens on a local TCP port, as "NAME (pid N)"; empty when that cannot be found out."""
    sockets = _listening_inodes(port)
    for handle in PROC.glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(handle)
        except OSError:
            continue
        if target in sockets:
            folder = handle.parents[1]
            return f"{(folder / 'comm').read_text().strip()} (pid {folder.name})"
    return ""


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in (PROC / "net/tcp", PROC / "net/tcp6"):
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        for fields in map(str.split, rows):
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:  # 0A: listening
                inodes.add(f"socket:[{fields[9]}]")
    return inodes
