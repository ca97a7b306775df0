"""Open orders that look like ours but that the database does not know: cancel them, or adopt those that fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptotrader.core.orders import VenueOrder, VenueStatus
from cryptotrader.core.strategy import Facts, Wanted
from cryptotrader.errors import InputRefused
from cryptotrader.execution.commands import needs_reason, record_audit
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.hold import holding, keep_lease, see
from cryptotrader.execution.job import Job
from cryptotrader.execution.strangers import described, unknown_orders
from cryptotrader.store.bots import get_bot, load_state
from cryptotrader.store.intents import OrderName, adopt_intent, live_intents, live_slots, read_order_id


@dataclass(frozen=True, slots=True)
class ForeignReport:
    """What became of foreign orders: those that are gone, and those that the venue still shows open."""

    cancelled: tuple[VenueOrder, ...]
    left: tuple[VenueOrder, ...]


def list_foreign(desk: Desk, symbol: str, account: str) -> tuple[VenueOrder, ...]:
    """Return the open orders on a symbol that look like ours and that the database does not know, oldest first."""
    orders = desk.venue(account).fetch_open_orders(symbol)
    with desk.db.reading() as session:
        return unknown_orders(session, orders)


def cancel_foreign(desk: Desk, symbol: str, account: str, *, reason: str) -> ForeignReport:
    """Cancel every such order, and ask the venue about each.

    Raises:
        InputRefused: no reason.
        OutcomeUnknown, VenueUnavailable: the venue failed; calling again goes on.
    """
    reason = needs_reason(reason)
    orders, venue = list_foreign(desk, symbol, account), desk.venue(account)
    if not orders:
        return ForeignReport((), ())
    with desk.db.transaction("cancel-foreign") as session:
        detail = {"symbol": symbol, "reason": reason, "orders": ", ".join(map(described, orders))}
        record_audit(session, desk, "orders.cancel-foreign", account, detail)
    for order in orders:
        venue.cancel_order(symbol, order.client_order_id)
    shown = [venue.fetch_order(symbol, order.client_order_id) for order in orders]
    ended = [now is not None and now.status is not VenueStatus.OPEN for now in shown]
    cancelled = tuple(order for order, is_ended in zip(orders, ended, strict=True) if is_ended)
    return ForeignReport(cancelled, tuple(order for order in orders if order not in cancelled))


def adopt_foreign(desk: Desk, bot: str, ids: Iterable[str], *, reason: str) -> tuple[str, ...]:
    """Take orders of a bot that its rows lack (a restored backup) back into the books, as intents that are OPEN.

    An order fits when it carries the bot's own prefix and is, to the last digit, what the strategy wants now in a slot
    that has no order. All are checked before any is adopted. Their trades are booked by the next pass.

    Raises:
        InputRefused: an order that is not there or does not fit, with the reason; no reason; an unknown bot.
        LeaseHeld: another process kept the bot for longer than a lease lasts.
    """
    reason = needs_reason(reason)
    with holding(desk, bot) as job:
        found = {order.client_order_id: order for order in list_foreign(desk, job.symbol, job.venue.account)}
        wanted = _open_wants(job)
        fitting = [_fitting(job, order_id, found, wanted) for order_id in ids]
        for name, want, order in fitting:
            with desk.db.transaction("adopt-foreign") as session:
                keep_lease(session, job)
                adopt_intent(session, job.bot_id, name, want, order, token=job.lease.token if job.lease else 0,
                             recv_window=job.venue.recv_window_ms, now=job.now)  # fmt: skip
                detail = {"reason": reason, "order": described(order)}
                record_audit(session, desk, "orders.adopt", job.name, detail)
    return tuple(order.client_order_id for _, _, order in fitting)


def _open_wants(job: Job) -> list[Wanted]:
    """Return what the strategy wants now in the slots that have no order."""
    ticker = see(job)
    with job.db.reading() as session:
        state = load_state(session, get_bot(session, job.bot_id))
        live = live_slots(live_intents(session, job.bot_id))
    desired = job.strategy.desired(state, Facts(ticker.last, ticker.bid, ticker.ask, live))
    return [want for want in desired.wanted if want.slot not in live]


def _fitting(
    job: Job, order_id: str, found: dict[str, VenueOrder], wanted: list[Wanted]
) -> tuple[OrderName, Wanted, VenueOrder]:
    """Return an order with the want that it fulfils, which it uses up."""
    name, order = read_order_id(order_id), found.get(order_id)
    if order is None:
        known = ", ".join(sorted(found)) or "none"
        raise InputRefused(f"{order_id} is no open order that the books lack.", field="id", value=order_id,
                           hint=f"There are: {known}.")  # fmt: skip
    if name is None or name.incarnation != job.incarnation:
        raise _unfit(order, f"it is not of {job.name}")
    want = next((want for want in wanted if want.slot == name.slot), None)
    if want is None:
        raise _unfit(order, f"{name.slot.purpose} {name.slot.cell} of {job.name} wants no order")
    if (want.side, want.price, want.quantity) != (order.side, order.price, order.quantity):
        raise _unfit(order, f"cell {want.slot.cell} wants {want.side} {want.quantity:f} at {want.price:f}")
    wanted.remove(want)
    return name, want, order


def _unfit(order: VenueOrder, why: str) -> InputRefused:
    return InputRefused(
        f"{described(order)} cannot be adopted: {why}.", field="id", value=order.client_order_id,
        hint="Cancel it with `orders cancel-foreign`.",
    )  # fmt: skip
