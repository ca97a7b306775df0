"""Stop: nothing new from this moment, every order of ours cancelled, and the proof that none is left.

The process that takes the command does it all itself: no lease, no orchestrator, no other process is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from cryptotrader.core.orders import VenueOrder
from cryptotrader.core.reconcile import Control
from cryptotrader.errors import InputRefused, StoreError
from cryptotrader.execution.cancel import cancel
from cryptotrader.execution.commands import record_audit
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.job import Job, open_job
from cryptotrader.execution.latch import latch_path, write_latch
from cryptotrader.execution.tend import trade_until_now
from cryptotrader.store.bots import find_bot, load_state, open_bots
from cryptotrader.store.control import GLOBAL, set_control
from cryptotrader.store.schema import IntentRow, IntentState

ACCOUNT, PREFIX = "paper", "ct"  # the account of this host, and how the ids of all our orders begin
EMPTY_READS = 2
BEYOND_WINDOW_S = 10  # a request in flight is refused by the venue after recvWindow; this much later none can land


@dataclass(frozen=True, slots=True)
class StopReport:
    """How a stop ended. `reads` counts the looks at the open orders; `sold` is base; `report` is for people."""

    state: str
    cancelled: int
    open_orders: int
    reads: int
    sold: Decimal
    seconds: Decimal
    report: str


def stop_bots(
    desk: Desk,
    names: tuple[str, ...] | None,
    *,
    reason: str,
    cancel_orders: bool = True,
    sell: bool = False,
    on_progress: Callable[[str], None] = lambda _line: None,
) -> StopReport:
    """Halt bots at once, then cancel their orders until two empty reads prove that none is left.

    Args:
        names: the bots; None: all, also those added later.
        reason: kept in the audit log.
        cancel_orders: False leaves the orders resting (nothing is placed, changed or replaced).
        sell: after the proof, sell what the ledger says the bots own, at market.
        on_progress: told in plain words what happens.

    Raises:
        InputRefused: an unknown bot, an empty reason, or selling while orders are kept.
    """
    if not reason.strip():
        raise InputRefused("reason is empty.", field="reason", hint="Say why; the audit log keeps it.")
    if sell and not cancel_orders:
        raise InputRefused("sell needs the orders cancelled first.", field="sell", hint="Use --orders cancel.")
    began = desk.runtime.wall.now()
    try:
        bots = _halt(desk, names, reason=reason, sell=sell)
    except StoreError as outage:
        return _stop_without_books(desk, outage, reason=reason, cancel_orders=cancel_orders, on_progress=on_progress)
    on_progress(f"halted: {', '.join(bots) or 'no bot yet'}")
    cancelled, reads = _cancel_all(desk, bots, on_progress) if cancel_orders else (0, 0)
    sold = sum((_sell(desk, name, on_progress) for name in bots), Decimal(0)) if sell else Decimal(0)
    left = sum(len(_ours(desk, name)) for name in bots)
    seconds = Decimal(str(round((desk.runtime.wall.now() - began).total_seconds(), 3)))
    report = f"{len(bots)} bots halted, {cancelled} orders cancelled, {left} left open after {reads} reads."
    return StopReport(Control.HALTED.value, cancelled, left, reads, sold, seconds, report)


def _stop_without_books(
    desk: Desk, outage: StoreError, *, reason: str, cancel_orders: bool, on_progress: Callable[[str], None]
) -> StopReport:
    """Latch the halt in a file and cancel what the venue shows as ours, when the database cannot be reached."""
    began = desk.runtime.wall.now()
    write_latch(desk, reason)
    on_progress(f"the database cannot be reached: the halt is latched in {latch_path(desk)}")
    venue, cancelled, reads, empty = desk.venue(ACCOUNT), 0, 0, 0
    while cancel_orders and empty < EMPTY_READS:
        reads += 1
        found = [order for order in venue.fetch_open_orders(None) if order.client_order_id.startswith(PREFIX)]
        for order in found:
            venue.cancel_order(order.symbol, order.client_order_id)
        cancelled, empty = cancelled + len(found), 0 if found else empty + 1
        if empty == 1:
            desk.runtime.wall.sleep(venue.recv_window_ms / 1000 + BEYOND_WINDOW_S)
    left = sum(order.client_order_id.startswith(PREFIX) for order in venue.fetch_open_orders(None))
    seconds = Decimal(str(round((desk.runtime.wall.now() - began).total_seconds(), 3)))
    report = f"halted by a file, {cancelled} orders cancelled, {left} left open; the database said: {outage}"
    return StopReport(Control.HALTED.value, cancelled, left, reads, Decimal(0), seconds, report)


def _halt(desk: Desk, names: tuple[str, ...] | None, *, reason: str, sell: bool) -> tuple[str, ...]:
    with desk.db.transaction("halt") as session:
        if names is None:
            scopes, bots = [GLOBAL], tuple(bot.name for bot in open_bots(session))
        else:
            bots = tuple(find_bot(session, name).name for name in names)
            scopes = [f"bot:{name}" for name in bots]
        at = desk.runtime.wall.now()
        for scope in scopes:
            set_control(session, scope, Control.HALTED, actor=desk.actor, reason=reason, at=at, exit_order=sell)
            record_audit(session, desk, "stop", scope, {"reason": reason, "sell": str(sell)})
    return bots


def _cancel_all(desk: Desk, bots: tuple[str, ...], on_progress: Callable[[str], None]) -> tuple[int, int]:
    """Cancel and look again until two looks in a row, far enough apart, find nothing."""
    cancelled = reads = empty = 0
    while empty < EMPTY_READS:
        reads += 1
        found = [(name, order) for name in bots for order in _ours(desk, name)]
        for name, order in found:
            _cancel_one(_job(desk, name), order)
        cancelled += len(found)
        if found:
            on_progress(f"{len(found)} orders cancelled")
        empty = 0 if found else empty + 1
        if empty == 1 and bots:
            window_ms = max(desk.venue(_account(desk, name)).recv_window_ms for name in bots)
            wait_s = window_ms / 1000 + BEYOND_WINDOW_S
            on_progress(f"no order left; looking again in {wait_s:.0f} s, when no request can be under way any more")
            desk.runtime.wall.sleep(wait_s)
    return cancelled, reads


def _cancel_one(job: Job, order: VenueOrder) -> None:
    with job.db.reading() as session:
        intent = session.get(IntentRow, order.client_order_id)
    if intent is not None and intent.state == IntentState.OPEN:
        cancel(job, order.client_order_id)
    else:  # its intent is not proven open: the venue's word is enough to cancel, a later pass settles the intent
        job.venue.cancel_order(job.symbol, order.client_order_id)


def _ours(desk: Desk, name: str) -> tuple[VenueOrder, ...]:
    with desk.db.reading() as session:
        bot = find_bot(session, name)
    orders = desk.venue(bot.account).fetch_open_orders(bot.symbol)
    return tuple(order for order in orders if order.client_order_id.startswith(f"ct{bot.incarnation}"))


def _sell(desk: Desk, name: str, on_progress: Callable[[str], None]) -> Decimal:
    """Let the one EXIT order pass that the person ordered; return the base that it sold."""
    before = _base(desk, name)
    trade_until_now(desk, name)
    sold = before - _base(desk, name)
    on_progress(f"{name}: sold {sold:f}")
    return sold


def _base(desk: Desk, name: str) -> Decimal:
    with desk.db.reading() as session:
        return load_state(session, find_bot(session, name)).base


def _job(desk: Desk, name: str) -> Job:
    return open_job(desk.db, desk.venue(_account(desk, name)), desk.runtime, name)


def _account(desk: Desk, name: str) -> str:
    with desk.db.reading() as session:
        return find_bot(session, name).account
