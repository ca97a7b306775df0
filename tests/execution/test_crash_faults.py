"""Every crash point with every main fault: the process dies at each point of a course in which one thing goes wrong.

A crash just before a commit leaves what a crash just after the former one left (`test_crashes` walks both), so here
only the points after commits and around sends and cancels are walked: every second of them, all with CRASH_EVERY=1.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from cryptotrader.core.reconcile import Control
from cryptotrader.errors import LeaseHeld, VenueUnavailable
from cryptotrader.execution.desk import Desk
from cryptotrader.store.database import Database
from tests.databases import POSTGRESQL, SQLITE
from tests.execution.faults import Fault, FaultPlan, FaultyVenue, planned
from tests.execution.oracle import judge
from tests.execution.world import SYMBOL, Crashed, World, halt, is_settled, look_again, tend_once

# Two cells of 50 from 1000: the start, a buy below and a sell above; a dip that fills the buy, and back up through its
# sell.
SHORT = ((1050, 1052, 990, 995), (995, 1060, 993, 1055))
TWO_CELLS = {"lower": Decimal(1000), "upper": Decimal(1100), "num_grids": 2}
EVERY = int(os.environ.get("CRASH_EVERY", "2"))
ENGINES: dict[str, Database] = {}
DOORS = ("send:before", "send:after", "cancel:before", "cancel:after")

MAIN_FAULTS: dict[str, FaultPlan] = {
    "start lost": planned((Fault.LOST, 1)),
    "order lost": planned((Fault.LOST, 2)),
    "start's answer lost": planned((Fault.ANSWER_LOST, 1)),
    "order's answer lost": planned((Fault.ANSWER_LOST, 2), timeout_s=15),
    "start late": planned((Fault.LATE, 1)),
    "order late": planned((Fault.LATE, 2), lasts_s=3),
    "order too late": planned((Fault.LATE, 2), lasts_s=6),
    "order refused": planned((Fault.REFUSED, 2)),
    "start not found": planned((Fault.ANSWER_LOST, 1), (Fault.NOT_FOUND, 1), lasts_s=90),
    "order not found": planned((Fault.ANSWER_LOST, 2), (Fault.NOT_FOUND, 2), lasts_s=90),
    "cancel lost": planned((Fault.CANCEL_LOST, 1)),
    "cancel's answer lost": planned((Fault.CANCEL_ANSWER_LOST, 1)),
    "open orders stale": planned((Fault.STALE, 3), (Fault.STALE, 6), lasts_s=3),
    "start's trade delayed": planned((Fault.DELAYED, 1), lasts_s=20),
    "trades out of order": planned((Fault.DELAYED, 2), lasts_s=20),
    "readings fail": planned(*((Fault.SILENT, number) for number in range(4, 60, 5))),
}


def trade_on(desk: Desk) -> None:
    """Run passes to the end of the course, waiting for whatever has to be waited for."""
    while True:
        try:
            result = tend_once(desk)
        except LeaseHeld:
            desk.runtime.wall.sleep(31)
        except VenueUnavailable:
            desk.runtime.wall.sleep(1)
        else:
            if not is_settled(desk):
                desk.runtime.wall.sleep(11)
            elif not desk.venue("paper").advance(SYMBOL, result.watches) and result.tally.total == 0:
                return


def live(desk: Desk) -> None:
    """A short life: the first ladder, a while without buys, and the course to its end."""
    for control in (Control.ACTIVE, Control.REDUCING):
        halt(desk, control)
        try:
            tend_once(desk)
        except (LeaseHeld, VenueUnavailable):
            desk.runtime.wall.sleep(31)
    halt(desk, Control.ACTIVE)
    trade_on(desk)


def run(folder: Path, database: str, plan: FaultPlan, crash_at: int | None) -> list[str]:
    """Live once under a plan, dying at a point and starting again; judge the end. Returns the points passed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    world = World(folder, database, course=SHORT, engines=ENGINES)
    venue = FaultyVenue(world.clock)
    world.wrap = venue.around
    world.add(world.start_process(), **TWO_CELLS)
    venue.plan = plan
    world.passed.clear()
    world.crash_at = crash_at
    desk = world.start_process("victim")
    try:
        live(desk)
    except Crashed:
        world.end_processes()
        world.crash_at = None
        desk = world.start_process("survivor")
        halt(desk, Control.ACTIVE)
        trade_on(desk)
    points = list(world.passed)
    venue.calm()
    trade_on(desk)
    judge(desk, world.folder, world.deposit)
    assert look_again(desk) == ()
    world.end_processes()
    return points


def crash_everywhere(folder: Path, database: str, plan: FaultPlan, *, every: int) -> int:
    """Run once for each distinct crash point of this plan's course; return the runs."""
    points = run(folder / "run", database, plan, None)
    chosen = [n for n, name in enumerate(points) if name.endswith(":after") or name in DOORS][::every]
    wrong = []
    for number in chosen:
        try:
            run(folder / "run", database, plan, number)
        except AssertionError as error:
            wrong.append(f"crash at {number} {points[number]}: {str(error).splitlines()[0]}")
    assert wrong == []
    return len(chosen) + 1


@pytest.mark.parametrize("fault", MAIN_FAULTS)
def test_a_crash_at_any_point_of_a_fault_converges(
    tmp_path: Path, fault: str, record_property: Callable[[str, object], None]
) -> None:
    runs = crash_everywhere(tmp_path, SQLITE, MAIN_FAULTS[fault], every=EVERY)
    record_property("runs", runs)
    print(f"{fault}: {runs} runs")  # noqa: T201 - shown with -rP


@pytest.mark.parametrize("fault", ["start's answer lost", "order lost", "cancel's answer lost", "trades out of order"])
def test_a_crash_on_postgresql_converges(
    tmp_path: Path, fault: str, record_property: Callable[[str, object], None]
) -> None:
    runs = crash_everywhere(tmp_path, POSTGRESQL, MAIN_FAULTS[fault], every=11)
    record_property("runs", runs)
    print(f"{fault}: {runs} runs")  # noqa: T201 - shown with -rP
