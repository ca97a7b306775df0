"""The only door to clock, sleep, randomness and ids, so that all of it can be simulated.

Two clocks run side by side. *wall* is the time of this machine and of the venue's server: leases, timeouts and
cool-downs live on it. *market* is the time of the candles: day boundaries and P&L live on it. Live they agree; in a
replay the market runs faster, and in a simulation both are virtual.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from os import getpid
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(moment: datetime) -> int:
    """Return an aware time as whole milliseconds since 1970, the unit of exchanges."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """Return milliseconds since 1970 as an aware UTC time, exactly."""
    return EPOCH + timedelta(milliseconds=milliseconds)


class Clock(Protocol):
    """A source of time that can also wait."""

    def now(self) -> datetime:
        """Return the current time, aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; a virtual clock jumps instead."""
        ...

    async def sleep_async(self, seconds: float) -> None:
        """Wait without blocking the event loop; a virtual clock jumps instead."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Suspend this coroutine."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """A clock that moves only when it is told to, or when somebody sleeps on it."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the virtual time."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Jump to a moment, also backwards (a fault worth simulating)."""
        self._now = moment

    def sleep(self, seconds: float) -> None:
        """Jump forward."""
        self._now += timedelta(seconds=seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Jump forward."""
        self.sleep(seconds)


def process_name() -> str:
    """Return who this is, for leases and logs: host and process."""
    return f"{socket.gethostname()}:{getpid()}"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Time, randomness and ids, handed to everything that needs them.

    Attributes:
        wall: the machine's clock, or a virtual one.
        random: the source of every random choice; seeded in a simulation.
        holder: the name under which this process takes leases.
    """

    wall: Clock = field(default_factory=SystemClock)
    random: random.Random = field(default_factory=random.SystemRandom)
    holder: str = field(default_factory=process_name)

    def new_id(self) -> str:
        """Return a random UUID as text, drawn from this runtime's randomness."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))


def virtual_runtime(seed: int = 0, start: datetime = EPOCH, holder: str = "simulated") -> Runtime:
    """Return a runtime in which nothing is real: same seed, same run."""
    return Runtime(wall=VirtualClock(start), random=random.Random(seed), holder=holder)  # noqa: S311 - not a secret


def stopwatch() -> float:
    """Return a monotonic reading in seconds; only differences mean anything, and only for reporting."""
    return time.perf_counter()
