"""Scenes of faults: a bot behind a venue that fails by plan, and the way to a judged end."""

from __future__ import annotations

from decimal import Decimal

from cryptotrader.core.orders import VenueOrder
from cryptotrader.execution.desk import Desk
from cryptotrader.store.bots import find_bot, load_state
from tests.execution.faults import FaultPlan, FaultyVenue
from tests.execution.oracle import judge
from tests.execution.scenes import faulty
from tests.execution.world import BOT, World, later, states, tend_once, trade_to_end

CALM_COURSE = ((1050, 1055, 1045, 1050),) * 3
HALF_AN_HOUR = 1800.0


def begun(world: World, plan: FaultPlan) -> tuple[Desk, FaultyVenue]:
    """A bot after its first pass (placement 1 is the START, 2 to 7 the ladder) behind a venue that fails by plan."""
    desk, venue = faulty(world, plan=plan)
    world.add(desk)
    tend_once(desk)
    return desk, venue


def rest(desk: Desk, passes: int = 8) -> None:
    """Run passes with six seconds between them."""
    for _ in range(passes):
        later(desk, seconds=6)
        tend_once(desk)


def state_of(desk: Desk, order_id: str) -> str:
    return dict(states(desk))[order_id]


def base_of(desk: Desk) -> Decimal:
    with desk.db.reading() as session:
        return load_state(session, find_bot(session, BOT)).base


def leave_out(venue: FaultyVenue, order_id: str) -> None:
    """Never show this order among the open ones, until the attribute is deleted."""
    fetch = venue.fetch_open_orders

    def without(symbol: str | None) -> tuple[VenueOrder, ...]:
        return tuple(order for order in fetch(symbol) if order.client_order_id != order_id)

    venue.fetch_open_orders = without  # type: ignore[method-assign]


def finish(world: World, desk: Desk, venue: FaultyVenue) -> None:
    """Trade the course to its end in calm, and judge."""
    venue.calm()
    trade_to_end(desk)
    judge(desk, world.folder, world.deposit)
