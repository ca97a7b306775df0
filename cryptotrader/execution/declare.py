"""Declare money that came or went at the exchange, so that the ledger explains it."""

from __future__ import annotations

import re
from decimal import Decimal

from cryptotrader.errors import InputRefused
from cryptotrader.execution.commands import needs_reason, record_audit
from cryptotrader.execution.desk import Desk
from cryptotrader.store.books import balance_of, bot_account, post, wallet_account
from cryptotrader.store.bots import open_bots
from cryptotrader.store.database import Session
from cryptotrader.store.schema import ExternalMoveRow

_ASSET = re.compile(r"[A-Z0-9]{1,16}")


def declare_move(desk: Desk, account: str, asset: str, amount: Decimal, *, note: str) -> Decimal:
    """Book a deposit (amount > 0) or a withdrawal (< 0) into the wallet of an account; return what it holds then.

    Nothing is sent to the exchange: it is said what happened there.

    Raises:
        InputRefused: an amount or asset that cannot be, an empty note, an unknown account, or a withdrawal of what
            bots own: the message names them.
    """
    note = needs_reason(note)
    _check(asset, amount)
    desk.venue(account)  # refuses an account that does not exist
    with desk.db.transaction("declare") as session:
        free = balance_of(session, wallet_account(account), asset)
        if free + amount < 0:
            raise _too_much(session, account, asset, -amount)
        at = desk.runtime.wall.now()
        move = ExternalMoveRow(account=account, asset=asset, amount=amount, kind="declared", note=note, at=at)
        session.add(move)
        session.flush()
        entries = ((wallet_account(account), asset, amount), (f"external:{account}", asset, -amount))
        post(session, f"declared:{move.id}", entries, at=at)
        record_audit(session, desk, "ledger.declare", account, {"asset": asset, "amount": f"{amount:f}", "note": note})
    return free + amount


def _check(asset: str, amount: Decimal) -> None:
    if not _ASSET.fullmatch(asset):
        raise InputRefused(f"asset {asset!r} is no asset.", field="asset", value=asset, hint="Write it as in BTC.")
    if not amount.is_finite() or not amount:
        raise InputRefused(
            f"amount is {amount}.", field="amount", value=amount, hint="Above 0 for a deposit, below for a withdrawal."
        )


def _too_much(session: Session, account: str, asset: str, amount: Decimal) -> InputRefused:
    free = balance_of(session, wallet_account(account), asset)
    owned = ((bot.name, balance_of(session, bot_account(bot), asset)) for bot in open_bots(session, account))
    owners = ", ".join(f"{name} owns {held:f}" for name, held in owned if held > 0) or "nobody owns more"
    return InputRefused(
        f"{account} has {free:f} {asset} that no bot owns; the withdrawal is {amount:f}: {owners}.", field="amount",
        value=-amount, hint="Lower a bot's investment (`bot change`) or close it first, then declare.",
    )  # fmt: skip
