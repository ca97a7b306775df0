"""The books checked against themselves: every running sum added up again from its rows."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from cryptotrader.store.books import ledger_sums
from cryptotrader.store.schema import BotRow, FillRow, LedgerBalanceRow


def wrong_balances(session: Session) -> tuple[str, ...]:
    """Return a sentence for every running balance that is not the sum of its ledger rows."""
    sums = ledger_sums(session)
    running = {(row.account, row.asset): row.amount for row in session.scalars(select(LedgerBalanceRow))}
    zero = Decimal(0)
    return tuple(
        f"{account} {asset}: the rows sum to {sums.get((account, asset), zero):f}, the running balance is "
        f"{running.get((account, asset), zero):f}"
        for account, asset in sorted(sums.keys() | running.keys())
        if sums.get((account, asset), zero) != running.get((account, asset), zero)
    )


def unbalanced_assets(session: Session) -> dict[str, Decimal]:
    """Return the assets whose double entries do not sum to zero, with what they sum to."""
    totals: dict[str, Decimal] = {}
    for (_account, asset), amount in ledger_sums(session).items():
        totals[asset] = totals.get(asset, Decimal(0)) + amount
    return {asset: amount for asset, amount in totals.items() if amount}


def realised_by_fills(session: Session, bot: BotRow) -> Decimal:
    """Add up what a bot's fills realised, one by one."""
    return sum(session.scalars(select(FillRow.realised).where(FillRow.bot_id == bot.id)), Decimal(0))
