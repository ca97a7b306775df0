"""How tests share a machine: those that start a Prefect server stay together, all others go to any worker."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group what starts a server, so that `pytest -n 2 --dist loadgroup` starts one server and not two."""
    for item in items:
        if item.get_closest_marker("prefect") or item.get_closest_marker("stack"):
            item.add_marker(pytest.mark.xdist_group("prefect"))
