"""Scenes that tests of execution begin with."""

from __future__ import annotations

from decimal import Decimal

from cryptotrader.execution.desk import Desk
from cryptotrader.store.bots import find_bot
from cryptotrader.store.read import bot_levels
from tests.execution.faults import FaultyVenue
from tests.execution.world import (
    BOT,
    World,
    tend_once,
)


def running(world: World, **changes: object) -> Desk:
    """A bot whose first pass is done: three buys below, two sells above, all resting."""
    desk = world.start_process()
    world.add(desk, **changes)
    tend_once(desk)
    return desk


def faulty(world: World, **faults: str) -> tuple[Desk, FaultyVenue]:
    """The same world behind a venue that fails at the placements named n1, n2, ..."""
    made: list[FaultyVenue] = []

    def wrap(venue: object) -> FaultyVenue:
        made.append(FaultyVenue(venue))
        made[-1].faults = {int(number.lstrip("n")): fault for number, fault in faults.items()}
        return made[-1]

    world.wrap = wrap
    desk = world.start_process()
    return desk, made[0]


def resting(desk: Desk) -> list[tuple[int, str, Decimal]]:
    with desk.db.reading() as session:
        lines = bot_levels(session, find_bot(session, BOT))
    return [(line.cell, line.side, line.price) for line in lines if line.price is not None]
