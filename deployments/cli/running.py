"""Which processes of the local stack run, from the record that `up` keeps."""

from __future__ import annotations

from dataclasses import dataclass

from cryptotrader.settings import Settings
from deployments.processes import find_processes
from deployments.record import load_record
from deployments.stack import MODULES
from deployments.watch import answers


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """One process of the stack; `url` is empty where there is nothing to open."""

    name: str
    is_healthy: bool
    url: str | None


def running_processes(settings: Settings) -> tuple[RunningProcess, ...]:
    """Return the stack's processes and whether each is well; nothing when no stack was started, or it has ended."""
    record = load_record(settings.home)
    if record is None:
        return ()
    alive = {process.name for process in find_processes(record.token) if process.is_leader}
    return tuple(
        RunningProcess(name, name in alive and (name != "server" or answers(record.url)), url)
        for name, url in ((name, record.url if name == "server" else None) for name in MODULES)
    )
