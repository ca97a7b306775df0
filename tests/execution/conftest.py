"""One world a test on each database, closed at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import POSTGRESQL, SQLITE
from tests.execution.world import World
from tests.venue.public_exchange import exchange, origin

__all__ = ["exchange", "origin", "world"]


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(tmp_path, request.param)
    yield made
    made.end_processes()
