"""The lock and the record of the one `up` that may run in a home folder."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptotrader.runtime import Runtime
from cryptotrader.settings import Settings
from deployments.environment import server_url


@dataclass(frozen=True, slots=True)
class StackRecord:
    """What `up` writes down when it starts: enough to say what runs, and to end it if `up` itself is killed."""

    token: str
    pid: int
    url: str


def new_record(settings: Settings) -> StackRecord:
    """Return the record of a start that is about to happen, with a token of its own."""
    return StackRecord(token=Runtime().new_id(), pid=os.getpid(), url=server_url(settings))


def record_path(home: Path) -> Path:
    """Return where the record lies."""
    return home / "up.json"


def save_record(home: Path, record: StackRecord) -> None:
    """Write the record whole or not at all."""
    fresh = record_path(home).with_suffix(".new")
    fresh.write_text(json.dumps(asdict(record)))
    fresh.replace(record_path(home))


def load_record(home: Path) -> StackRecord | None:
    """Return the record of the running stack, or of one that was killed; None after an orderly end."""
    try:
        return StackRecord(**json.loads(record_path(home).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


@contextmanager
def only_one(home: Path) -> Iterator[bool]:
    """Hold the lock of a home folder; yields False when another process has it.

    A record lock (POSIX), not flock: forked children would keep a flock alive after this process was killed.
    """
    with (home / "up.lock").open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
