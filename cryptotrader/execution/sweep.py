"""Look over a bot from outside its passes: does what we believe agree with the venue, and is anybody at work?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from cryptotrader.core.cells import CellStatus
from cryptotrader.execution.book import unbooked_trades
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.job import job_of
from cryptotrader.store.books import owned_assets, read_from
from cryptotrader.store.bots import find_bot, load_state, open_bots
from cryptotrader.store.database import Session
from cryptotrader.store.intents import live_intents, recent_intents
from cryptotrader.store.lease import NOBODY, lease_holder
from cryptotrader.store.outbox import add_alert
from cryptotrader.store.schema import BotRow, IntentState, LeaseRow

STALE_AFTER = timedelta(minutes=5)
AUDIT_BACK = timedelta(minutes=15)
GIVEN_BACK_WITHIN = timedelta(seconds=2)  # a lease that a pass gave back ends when the pass was recorded


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know. Severity: "info", "warning" or "error"."""

    kind: str
    severity: str
    message: str


def sweep_bot(desk: Desk, name: str) -> tuple[Finding, ...]:
    """Look for drift, a price outside the range, stale data and a dead lease; a new finding becomes an alert."""
    with desk.db.reading() as session:
        bot = find_bot(session, name)
        found = [*_stale(desk, bot), *_dead_lease(desk, session, bot), *_range(session, bot)]
        found += _drift(desk, session, bot)
        found += _missing_fills(desk, session, bot)
    with desk.db.transaction("sweep") as session:
        for finding in found:
            add_alert(session, bot_id=bot.id, severity=finding.severity, kind=finding.kind, message=finding.message,
                      at=desk.runtime.wall.now())  # fmt: skip
    return tuple(found)


def _stale(desk: Desk, bot: BotRow) -> list[Finding]:
    if bot.last_pass_at is None:
        return []
    age = desk.runtime.wall.now() - bot.last_pass_at
    if age <= STALE_AFTER:
        return []
    minutes = int(age.total_seconds() // 60)
    return [Finding("bot.silent", "error", f"{bot.name}: no pass for {minutes} minutes")]


def _dead_lease(desk: Desk, session: Session, bot: BotRow) -> list[Finding]:
    lease = session.get(LeaseRow, (bot.account, bot.symbol))
    if lease is None or bot.last_pass_at is None or lease.expires_at > desk.runtime.wall.now():
        return []
    if lease.holder == NOBODY or lease.expires_at - bot.last_pass_at <= GIVEN_BACK_WITHIN:
        return []
    return [Finding("lease.dead", "warning", f"{bot.name}: {lease.holder} ended without giving its lease back")]


def _range(session: Session, bot: BotRow) -> list[Finding]:
    lower, upper = bot.config.get("lower"), bot.config.get("upper")
    if bot.last_price is None or lower is None or upper is None or bot.closed_at is not None:
        return []
    cells = load_state(session, bot).cells
    if cells and all(cell.status is CellStatus.EMPTY for cell in cells):
        return [Finding("range.above", "warning", f"{bot.name}: everything is sold; the price {bot.last_price} is at "
                                                  f"or above the highest level {upper}")]  # fmt: skip
    if cells and all(cell.status is CellStatus.HELD for cell in cells):
        return [Finding("range.below", "warning", f"{bot.name}: all cells hold base; the price {bot.last_price} is at "
                                                  f"or below the lowest level {lower}")]  # fmt: skip
    return []


def _drift(desk: Desk, session: Session, bot: BotRow) -> list[Finding]:
    """Compare ledger with balances and intents with open orders, while no pass is at work."""
    if _is_busy(desk, session, bot):
        return []
    venue = desk.venue(bot.account)
    intents = {intent.client_order_id: intent for intent in live_intents(session, bot.id)}
    shown = {order.client_order_id for order in venue.fetch_open_orders(bot.symbol)}
    found = [Finding("order.unknown", "error", f"{bot.name}: the venue shows our order {order_id}, the books do not")
             for order_id in sorted(shown - intents.keys()) if order_id.startswith(f"ct{bot.incarnation}")]  # fmt: skip
    resting = {order_id for order_id, intent in intents.items() if intent.state == IntentState.OPEN}
    if resting - shown:
        return found  # a fill that the next pass books: balances differ until then
    held = {asset: balance.total for asset, balance in venue.fetch_balances().items() if balance.total}
    owned = owned_assets(session, bot.account, [b.name for b in open_bots(session, bot.account)])
    owned = {asset: amount for asset, amount in owned.items() if amount}
    for asset in sorted(held.keys() | owned.keys()):
        difference = held.get(asset, Decimal(0)) - owned.get(asset, Decimal(0))
        if difference:
            message = f"{bot.account}: {difference.normalize():+f} {asset} that the ledger does not explain"
            found.append(Finding("balance.drift", "error", message))
    return found


def _missing_fills(desk: Desk, session: Session, bot: BotRow) -> list[Finding]:
    """Hold each order that changed lately to the venue: what it executed is the sum of the fills booked for it."""
    venue, found = desk.venue(bot.account), []
    if _is_busy(desk, session, bot) or _has_unbooked(desk, session, bot):
        return []
    for intent in recent_intents(session, bot.id, desk.runtime.wall.now() - AUDIT_BACK):
        order = venue.fetch_order(bot.symbol, intent.client_order_id)
        if order is None:
            message = f"{bot.name}: the venue no longer knows order {intent.client_order_id}"
            found.append(Finding("order.vanished", "error", message))
        elif order.filled_base != intent.filled_base:
            message = (
                f"{bot.name}: order {intent.client_order_id} executed {order.filled_base} at the venue, "
                f"{intent.filled_base} in the books"
            )
            found.append(Finding("fills.missing", "error", message))
    return found


def _is_busy(desk: Desk, session: Session, bot: BotRow) -> bool:
    """Whether a pass is at work, so that books and venue may differ for a moment."""
    return lease_holder(session, bot.account, bot.symbol, now=desk.runtime.wall.now()) is not None


def _has_unbooked(desk: Desk, session: Session, bot: BotRow) -> bool:
    job = job_of(session, desk.db, desk.venue(bot.account), desk.runtime, bot.name)
    return bool(unbooked_trades(job, *read_from(session, bot.account, bot.symbol)))
