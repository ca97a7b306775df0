"""One world a test, closed at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.execution.world import World
from tests.venue.public_exchange import exchange, origin

__all__ = ["exchange", "origin", "world"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.end_processes()
