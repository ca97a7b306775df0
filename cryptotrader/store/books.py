"""The books: fills once each, and a ledger of double entries with exact running balances."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from cryptotrader.core.market import Market, Side
from cryptotrader.core.orders import VenueTrade
from cryptotrader.errors import BooksDisagree
from cryptotrader.store.database import insert_missing
from cryptotrader.store.schema import BotRow, FillRow, LedgerBalanceRow, LedgerRow

OVERLAP = 100  # trades read again each time: venues show them late and out of order
_TRADES = select(FillRow.trade_id).where(FillRow.account == bindparam("of"), FillRow.symbol == bindparam("on"))
_LAST_TRADES = _TRADES.order_by(FillRow.trade_id.desc()).limit(OVERLAP)
_TRADE = _TRADES.where(FillRow.trade_id == bindparam("trade"))

_LEDGER = cast(Table, LedgerRow.__table__)
_BALANCE = cast(Table, LedgerBalanceRow.__table__)
_BALANCE_OF = select(_BALANCE.c.amount).where(
    _BALANCE.c.account == bindparam("of"), _BALANCE.c.asset == bindparam("in_asset")
)
_BALANCES_OF = select(_BALANCE).where(_BALANCE.c.account.in_(bindparam("accounts", expanding=True)))
_BALANCES_OF = _BALANCES_OF.order_by(_BALANCE.c.account, _BALANCE.c.asset).with_for_update()  # one order: no deadlocks
_MOVE_BALANCE = (
    update(_BALANCE)
    .where(_BALANCE.c.account == bindparam("of"), _BALANCE.c.asset == bindparam("in_asset"))
    .values(amount=bindparam("now"))
)

Entry = tuple[str, str, Decimal]  # account, asset, amount


def bot_account(bot: BotRow) -> str:
    """Return the ledger account of a bot."""
    return f"bot:{bot.name}"


def wallet_account(account: str) -> str:
    """Return the ledger account of what no bot owns."""
    return f"wallet:{account}"


def post(session: Session, txn: str, entries: Iterable[Entry], *, at: datetime) -> None:
    """Write one ledger transaction and move the running balances.

    Raises:
        BooksDisagree: the entries do not sum to 0 in every asset.
    """
    rows = [(account, asset, amount) for account, asset, amount in entries if amount]
    for asset in {asset for _, asset, _ in rows}:
        if total := sum((amount for _, a, amount in rows if a == asset), Decimal(0)):
            raise BooksDisagree(f"ledger transaction {txn} is off by {total} {asset}")
    if not rows:
        return
    values = [{"txn": txn, "account": c, "asset": a, "amount": m, "at": at} for c, a, m in rows]
    session.execute(insert(_LEDGER), values)
    _move_balances(session, rows)


def _move_balances(session: Session, rows: list[Entry]) -> None:
    moved: dict[tuple[str, str], Decimal] = {}
    for account, asset, amount in rows:
        moved[account, asset] = moved.get((account, asset), Decimal(0)) + amount
    before = _lock_balances(session, moved.keys())
    if missing := sorted(moved.keys() - before.keys()):
        zeros = [{"account": account, "asset": asset, "amount": Decimal(0)} for account, asset in missing]
        insert_missing(session, LedgerBalanceRow, zeros)
        before = _lock_balances(session, moved.keys())
    values = [{"of": key[0], "in_asset": key[1], "now": before[key] + moved[key]} for key in sorted(moved)]
    session.connection().execute(_MOVE_BALANCE, values)


def _lock_balances(session: Session, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Decimal]:
    accounts = sorted({account for account, _ in keys})
    found = session.execute(_BALANCES_OF, {"accounts": accounts})
    return {(account, asset): amount for account, asset, amount in found}


def balance_of(session: Session, account: str, asset: str) -> Decimal:
    """Return the running balance of a ledger account."""
    return session.scalar(_BALANCE_OF, {"of": account, "in_asset": asset}) or Decimal(0)


def holdings_of(session: Session, account: str) -> dict[str, Decimal]:
    """Return what a ledger account holds by asset, without the zeros."""
    rows = session.scalars(select(LedgerBalanceRow).where(LedgerBalanceRow.account == account))
    return {row.asset: row.amount for row in sorted(rows, key=lambda row: row.asset) if row.amount}


def was_opened(session: Session, account: str) -> bool:
    """Whether the wallet of an account has been written to before."""
    query = select(LedgerRow.id).where(LedgerRow.account == wallet_account(account)).limit(1)
    return session.scalar(query) is not None


def trade_entries(owner: str, account: str, market: Market, trade: VenueTrade) -> tuple[Entry, ...]:
    """Return the double entry of a trade: base against quote with the market, and the fee."""
    sign = 1 if trade.side is Side.BUY else -1
    base, quote = sign * trade.quantity, -sign * trade.price * trade.quantity
    counter, fees = f"market:{trade.symbol}", f"fees:{account}"
    return (
        (owner, market.base, base), (counter, market.base, -base),
        (owner, market.quote, quote), (counter, market.quote, -quote),
        (owner, trade.fee_asset, -trade.fee), (fees, trade.fee_asset, trade.fee),
    )  # fmt: skip


def read_from(session: Session, account: str, symbol: str) -> tuple[int, frozenset[int]]:
    """Return the trade id to read from, and the ids from there on that are booked already."""
    known = tuple(session.scalars(_LAST_TRADES, {"of": account, "on": symbol}))
    return (known[-1] if len(known) == OVERLAP else 0), frozenset(known)


def is_booked(session: Session, account: str, symbol: str, trade_id: int) -> bool:
    """Whether a trade is in the books."""
    return session.scalar(_TRADE, {"of": account, "on": symbol, "trade": trade_id}) is not None


def ledger_sums(session: Session) -> dict[tuple[str, str], Decimal]:
    """Add up the whole ledger per account and asset: the slow truth behind the running balances."""
    sums: dict[tuple[str, str], Decimal] = {}
    for account, asset, amount in session.execute(select(LedgerRow.account, LedgerRow.asset, LedgerRow.amount)):
        sums[account, asset] = sums.get((account, asset), Decimal(0)) + amount
    return sums


def owned_assets(session: Session, account: str, bot_names: Iterable[str]) -> dict[str, Decimal]:
    """Return what the ledger says an account holds by asset: its wallet and its bots together."""
    accounts = [wallet_account(account), *(f"bot:{name}" for name in bot_names)]
    totals: dict[str, Decimal] = {}
    rows = session.scalars(select(LedgerBalanceRow).where(LedgerBalanceRow.account.in_(accounts)))
    for row in rows:
        totals[row.asset] = totals.get(row.asset, Decimal(0)) + row.amount
    return totals
