"""Verify the books: the ledger against itself, against the venue's own balances, and profit computed anew."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cryptotrader.errors import BooksDisagree, VenueUnavailable
from cryptotrader.execution.book import unbooked_trades
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.job import open_job
from cryptotrader.store.audit import verify_audit
from cryptotrader.store.books import owned_assets, read_from, trade_entries
from cryptotrader.store.bots import open_bots
from cryptotrader.store.database import Session
from cryptotrader.store.read import bot_profit
from cryptotrader.store.schema import BotRow
from cryptotrader.store.verify import realised_by_fills, unbalanced_assets, wrong_balances

LOOKS = 3  # another process may trade between our look at the venue and our look at the ledger


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of the books: what was compared, whether it holds, and the numbers."""

    name: str
    is_ok: bool
    message: str


def verify_ledger(desk: Desk) -> tuple[Finding, ...]:
    """Check that the books add up; nothing is changed."""
    with desk.db.reading() as session:
        bots = open_bots(session)
        found = [_balances(session), _double_entry(session), *(_profit(session, bot) for bot in bots)]
    accounts = sorted({bot.account for bot in bots})
    return (*found, *(_venue(desk, account) for account in accounts))


def verify_chain(desk: Desk) -> Finding:
    """Check that no row of the audit log was changed, removed or put in."""
    with desk.db.reading() as session:
        try:
            return Finding("audit chain", True, f"Rows: {verify_audit(session)}; each fits the one before.")
        except BooksDisagree as broken:
            return Finding("audit chain", False, f"{broken}.")


def _balances(session: Session) -> Finding:
    wrong = wrong_balances(session)
    return Finding("running balances", not wrong, "; ".join(wrong) or "Each is the sum of its ledger rows.")


def _double_entry(session: Session) -> Finding:
    off = unbalanced_assets(session)
    message = "; ".join(f"{asset} is off by {amount:f}" for asset, amount in sorted(off.items()))
    return Finding("double entry", not off, message or "Every asset sums to zero over all accounts.")


def _profit(session: Session, bot: BotRow) -> Finding:
    name, realised = f"profit of {bot.name}", realised_by_fills(session, bot)
    if realised != bot.realised:
        return Finding(name, False, f"The fills realised {realised:f}, the bot says {bot.realised:f}.")
    if bot.last_price is None:
        return Finding(name, True, "It has not traded yet.")
    try:
        profit = bot_profit(session, bot, bot.last_price)
    except BooksDisagree as off:
        return Finding(name, False, f"{off}.")
    numbers = f"grid {profit.grid_profit:f} + inventory {profit.inventory_pnl:f} = total {profit.total_pnl:f}"
    return Finding(name, True, f"{numbers}, by the balances and by the lots.")


def _venue(desk: Desk, account: str) -> Finding:
    """Compare the ledger, with the trades that are not booked yet, to what the venue says it holds."""
    name = f"venue {account}"
    try:
        for _look in range(LOOKS):
            waiting, expected, held = _both_books(desk, account)
            if expected == held:
                booked = f"; {waiting} trades are still to be booked" if waiting else ""
                return Finding(name, True, f"{_amounts(held)}, in both books{booked}.")
    except VenueUnavailable as silent:
        return Finding(name, False, f"It could not be asked: {silent}")
    return Finding(name, False, f"The ledger holds {_amounts(expected)}; the venue {_amounts(held)}.")


def _both_books(desk: Desk, account: str) -> tuple[int, dict[str, Decimal], dict[str, Decimal]]:
    venue = desk.venue(account)
    with desk.db.reading() as session:
        bots = open_bots(session, account)
        owned = owned_assets(session, account, [bot.name for bot in bots])
    waiting = 0
    for bot in bots:
        job = open_job(desk.db, venue, desk.runtime, bot.name)
        with desk.db.reading() as session:
            booked = read_from(session, account, job.symbol)
        trades = unbooked_trades(job, *booked)
        waiting += len(trades)
        for trade in trades:
            for owner, asset, amount in trade_entries(bot.name, account, job.market, trade):
                if owner == bot.name:
                    owned[asset] = owned.get(asset, Decimal(0)) + amount
    held = {asset: balance.total for asset, balance in venue.fetch_balances().items()}
    return waiting, _present(owned), _present(held)


def _present(amounts: dict[str, Decimal]) -> dict[str, Decimal]:
    return {asset: amount for asset, amount in amounts.items() if amount}


def _amounts(amounts: dict[str, Decimal]) -> str:
    return ", ".join(f"{amounts[asset].normalize():f} {asset}" for asset in sorted(amounts)) or "nothing"
