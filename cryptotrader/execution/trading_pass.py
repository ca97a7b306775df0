"""One pass: read everything again, decide, act, record. A second pass right after does nothing.

Rounds within a pass: what executed at once (a START order, an order that crossed) has to be booked before the
decision is complete, so gather, decide and apply repeat until nothing is left, a few times at most.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from cryptotrader.core.cells import BotState, Phase
from cryptotrader.core.orders import Ticker, VenueOrder
from cryptotrader.core.reconcile import Control, Plan, reconcile
from cryptotrader.core.strategy import Desired, Facts, Slot
from cryptotrader.errors import CryptoTraderError
from cryptotrader.execution.book import book_trades, unbooked_trades, withhold
from cryptotrader.execution.cancel import cancel
from cryptotrader.execution.job import Job, Tally, job_of, open_job
from cryptotrader.execution.place import place
from cryptotrader.execution.settle import find_unknown, judge_unknown, link_quarantined, settle_missing
from cryptotrader.execution.strangers import refusal, unknown_orders
from cryptotrader.runtime import Runtime
from cryptotrader.store.books import balance_of, bot_account, read_from
from cryptotrader.store.bots import get_bot, load_state, note_pass, save_reasons, save_state
from cryptotrader.store.control import Ruling, load_ruling
from cryptotrader.store.database import Database
from cryptotrader.store.intents import (
    as_live,
    cooling_slots,
    live_intents,
    live_slots,
    unlinked_intents,
    unproven_intents,
)
from cryptotrader.store.lease import give_back, take_lease
from cryptotrader.store.outbox import add_alert
from cryptotrader.store.schema import BotRow, IntentRow, IntentState
from cryptotrader.venue.port import Venue

MAX_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class PassResult:
    """What a pass did, and the prices at which the next decision changes although nothing fills."""

    tally: Tally
    watches: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of a bot at one moment.

    Attributes:
        quote: what the bot owns, open buys not deducted.
        strangers: open orders of the symbol that look like ours and that no row explains: nothing but an ordered exit
            is placed then.
    """

    state: BotState
    intents: tuple[IntentRow, ...]
    ruling: Ruling
    quote: Decimal
    cooling: Mapping[Slot, str]
    strangers: tuple[VenueOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a look at the world led to.

    Attributes:
        before: the state as stored; `desired.state` is what the price alone makes of it.
        pending: intents that were never sent, to be sent or voided.
        refused: why the symbol is not traded at all; "" when it is.
    """

    ticker: Ticker
    before: BotState
    desired: Desired
    plan: Plan
    pending: tuple[IntentRow, ...]
    refused: str = ""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has to be done or written."""
        return self.plan.is_quiet and not self.pending and self.before == self.desired.state


def run_pass(db: Database, venue: Venue, runtime: Runtime, name: str) -> PassResult:
    """Run one pass over a bot under its lease.

    Raises:
        LeaseHeld: another process trades this account and symbol; nothing was done.
    """
    with db.transaction("lease") as session:
        job = job_of(session, db, venue, runtime, name)
        lease = take_lease(session, venue.account, job.symbol, holder=runtime.holder, now=job.now)
    job = replace(job, lease=lease)
    try:
        while job.tally.rounds < MAX_ROUNDS:
            job.tally.rounds += 1
            decision, again = _round(job)
            if not again:
                break
        _record(job, decision)
    except CryptoTraderError:
        _give_back(job)
        raise
    return PassResult(job.tally, job.strategy.watches(decision.desired.state))


def look(db: Database, venue: Venue, runtime: Runtime, name: str) -> tuple[str, ...]:
    """Return what a pass would have to do, without doing it; empty when a pass would change nothing."""
    job = open_job(db, venue, runtime, name)
    with db.reading() as session:
        booked = read_from(session, venue.account, job.symbol)
    work = [f"{len(trades)} trades to book"] if (trades := unbooked_trades(job, *booked)) else []
    orders = venue.fetch_open_orders(job.symbol)
    known, shown = _load(job, orders), {order.client_order_id for order in orders}
    unsettled = [i for i in known.intents if i.state != IntentState.OPEN or i.client_order_id not in shown]
    if unsettled:
        work.append(f"{len(unsettled)} orders to look up")
    decision = _decide(job, venue.fetch_ticker(job.symbol), known)
    if decision.plan.cancel or decision.plan.place:
        work.append(f"{len(decision.plan.cancel)} orders to cancel, {len(decision.plan.place)} to place")
    elif not decision.is_quiet:
        work.append("cells to move on")
    return tuple(work)


def _round(job: Job) -> tuple[Decision, bool]:
    """Gather, decide, apply once. Returns the decision and whether another round has to follow."""
    ticker, known, again = catch_up(job)
    decision = _decide(job, ticker, known)
    _save_decision(job, decision)
    for order, _reason in decision.plan.cancel:
        cancel(job, order.client_order_id)
        again = True
    if decision.plan.place or decision.pending:
        again |= place(job, decision.plan.place)
    return decision, again


def catch_up(job: Job) -> tuple[Ticker, Known, bool]:
    """Book every trade and settle every order that the venue tells of; decide nothing.

    Returns:
        The price, what the database then knows, and whether there may be more to catch up with at once.
    """
    with job.db.reading() as session:
        unproven, unlinked = unproven_intents(session, job.bot_id), unlinked_intents(session, job.bot_id)
        booked = read_from(session, job.venue.account, job.symbol)
    find_unknown(job, unproven)
    link_quarantined(job, unlinked)
    waiting = book_trades(job, withhold(job, unbooked_trades(job, *booked)))
    ticker, open_orders = _gather(job)
    known = _load(job, open_orders.values())
    again = judge_unknown(job, known.intents, open_orders, waiting)
    again |= settle_missing(job, known.intents, open_orders)
    return ticker, _load(job, open_orders.values()) if again else known, again


def _gather(job: Job) -> tuple[Ticker, Mapping[str, VenueOrder]]:
    ticker = job.venue.fetch_ticker(job.symbol)
    orders = job.venue.fetch_open_orders(job.symbol)
    return ticker, {order.client_order_id: order for order in orders}


def _load(job: Job, open_orders: Collection[VenueOrder]) -> Known:
    """Read what the database knows of the bot, at one moment."""
    with job.db.reading() as session:
        bot = get_bot(session, job.bot_id)
        intents = tuple(live_intents(session, bot.id))
        live = {intent.client_order_id for intent in intents}
        return Known(
            state=load_state(session, bot), intents=intents,
            ruling=load_ruling(session, job.venue.account, job.name),
            quote=balance_of(session, bot_account(bot), job.market.quote) - bot.third_fees,
            cooling=cooling_slots(session, bot.id, job.now),
            strangers=unknown_orders(session, [o for o in open_orders if o.client_order_id not in live]),
        )  # fmt: skip


def _decide(job: Job, ticker: Ticker, known: Known) -> Decision:
    """Ask the strategy, and compare with what rests."""
    pending = tuple(i for i in known.intents if i.state == IntentState.PENDING)
    live = [i for i in known.intents if i.state != IntentState.PENDING]
    facts = Facts(ticker.last, ticker.bid, ticker.ask, live_slots(live))
    state = known.state
    if known.ruling.may_exit and state.phase in (Phase.STARTING, Phase.RUNNING):
        state = replace(state, phase=Phase.EXITING)
    desired = job.strategy.desired(state, facts)
    ruling = Ruling(Control.HALTED, known.ruling.may_exit) if known.strangers else known.ruling
    plan = reconcile(
        desired.wanted, map(as_live, live), market=job.market, control=ruling.control, quote=known.quote,
        cooling=known.cooling, may_exit=ruling.may_exit,
    )  # fmt: skip
    return Decision(ticker, known.state, desired, plan, pending, refusal(job.symbol, known.strangers))


def _save_decision(job: Job, decision: Decision) -> None:
    """Write the moves that the price alone made, before any order follows from them."""
    if decision.before != decision.desired.state:
        with job.db.transaction("decide") as session:
            bot = session.get_one(BotRow, job.bot_id)
            save_state(session, bot, decision.before, decision.desired.state)


def _record(job: Job, decision: Decision) -> None:
    """Write price, time and the reason of every idle cell, and give the lease back, last of all."""
    reasons = {idle.cell: idle.reason for idle in decision.desired.idle}
    reasons |= {step.slot.cell: step.reason for step in decision.plan.wait}
    note, ticker = decision.refused or reasons.pop(-1, ""), decision.ticker
    reasons.pop(-1, None)
    with job.db.transaction("record") as session:
        if decision.refused:
            add_alert(session, bot_id=job.bot_id, severity="error", kind="order.foreign",
                      message=f"{job.name}: {decision.refused}", at=job.now)  # fmt: skip
        save_reasons(session, job.bot_id, reasons)
        note_pass(session, job.bot_id, note=note, price=ticker.last, market_at=ticker.at,
                  label=job.venue.market_label, at=job.now)  # fmt: skip
        if job.lease is not None:
            give_back(session, job.lease, now=job.now)


def _give_back(job: Job) -> None:
    """Give the lease back after an error of ours; whatever else ends a pass leaves it to run out."""
    if job.lease is not None:
        with job.db.transaction("release") as session:
            give_back(session, job.lease, now=job.now)
