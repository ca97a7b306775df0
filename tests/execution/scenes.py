"""Scenes that tests of execution begin with."""

from __future__ import annotations

from decimal import Decimal

from cryptotrader.execution.desk import Desk
from cryptotrader.store.bots import find_bot
from cryptotrader.store.read import bot_levels
from tests.execution.faults import Fault, FaultPlan, FaultyVenue, planned
from tests.execution.world import BOT, World, tend_once


def running(world: World, **changes: object) -> Desk:
    """A bot whose first pass is done: three buys below, two sells above, all resting."""
    desk = world.start_process()
    world.add(desk, **changes)
    tend_once(desk)
    return desk


def faulty(world: World, *, plan: FaultPlan | None = None, **faults: str) -> tuple[Desk, FaultyVenue]:
    """The same world behind a venue that fails by a plan, or at the placements named n1, n2, ..."""
    plan = plan or planned(*((Fault(kind), int(number.lstrip("n"))) for number, kind in faults.items()))
    venue = FaultyVenue(world.clock, plan)
    world.wrap = venue.around
    return world.start_process(), venue


def resting(desk: Desk) -> list[tuple[int, str, Decimal]]:
    with desk.db.reading() as session:
        lines = bot_levels(session, find_bot(session, BOT))
    return [(line.cell, line.side, line.price) for line in lines if line.price is not None]
