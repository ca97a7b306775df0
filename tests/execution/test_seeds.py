"""Many seeds, each a storm of mixed faults, crashes and people: afterwards both books agree and nothing is open.

STORM_SEEDS=2000 raises the number; a seed that fails prints the line that repeats it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.databases import POSTGRESQL, SQLITE
from tests.execution.storm import run_seed

SEEDS = int(os.environ.get("STORM_SEEDS", "200"))
CHUNK = 20


def run_chunk(first: int, database: str, note: Callable[[str, object], None], *, size: int) -> None:
    figures, wrong = Counter[str](), []
    for seed in range(first, first + size):
        try:
            figures += run_seed(seed, database)
        except AssertionError as error:
            wrong.append(str(error).splitlines()[0])
    note("figures", dict(figures))
    print(dict(sorted(figures.items())))  # noqa: T201 - shown with -rP
    assert wrong == []
    assert figures["crashes"] > 0
    assert sum(count for name, count in figures.items() if name.startswith("fault: ")) > size


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_storms_end_in_agreement(first: int, record_property: Callable[[str, object], None]) -> None:
    run_chunk(first, SQLITE, record_property, size=min(CHUNK, SEEDS - first))


@pytest.mark.parametrize("first", range(1000, 1000 + SEEDS // 10, 5))
def test_storms_on_postgresql_end_in_agreement(first: int, record_property: Callable[[str, object], None]) -> None:
    run_chunk(first, POSTGRESQL, record_property, size=5)
