"""Kill the process at every commit and every send, one after the other: each time the end is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.execution.world import Crashed, World, check_invariants, hash_of, trade_to_end


def uncrashed(folder: Path) -> tuple[str, list[str]]:
    """Trade the whole course without a crash; return its hash and every checkpoint passed after the bot was added."""
    folder.mkdir()
    world = World(folder)
    desk = world.start_process()
    world.add(desk)
    world.passed.clear()
    trade_to_end(desk)
    check_invariants(desk)
    result = hash_of(desk), list(world.passed)
    world.end_processes()
    return result


def crashed(folder: Path, *points: int) -> tuple[str, list[str]]:
    """Trade the same course, ending the process at each of the given checkpoints in turn, then to the end."""
    folder.mkdir()
    world = World(folder)
    world.add(world.start_process())
    ends: list[str] = []
    for number, point in enumerate(points):
        world.end_processes()
        world.passed.clear()
        world.crash_at = point
        try:
            trade_to_end(world.start_process(f"victim {number}"))
        except Crashed as crash:
            ends.append(str(crash))
    world.end_processes()
    world.crash_at = None
    survivor = world.start_process("survivor")
    trade_to_end(survivor)
    check_invariants(survivor)
    result = hash_of(survivor)
    world.end_processes()
    return result, ends


def test_every_crash_point_ends_in_the_same_books(tmp_path: Path) -> None:
    expected, points = uncrashed(tmp_path / "whole")
    kinds = {"lease", "decide", "intend", "sign", "acknowledge", "fill", "record"}
    assert {name.split(":")[0] for name in points} >= kinds | {"send"}
    different = []
    for point, name in enumerate(points):
        result, ends = crashed(tmp_path / f"crash-{point}", point)
        assert ends == [name]
        if result != expected:
            different.append((point, name))
    assert different == []


@pytest.mark.parametrize("second", [0, 1, 2, 5, 9])
def test_a_crash_during_recovery_changes_nothing(tmp_path: Path, second: int) -> None:
    expected, points = uncrashed(tmp_path / "whole")
    sends = [point for point, name in enumerate(points) if name in ("send:before", "send:after")]
    for point in sends[::4]:
        result, ends = crashed(tmp_path / f"crash-{point}", point, second)
        assert len(ends) == 2
        assert result == expected
