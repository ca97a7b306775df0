"""Write down what an account holds and what each of its bots is worth, all at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cryptotrader.core.equity import draw_down
from cryptotrader.execution.desk import Desk
from cryptotrader.store.bots import open_bots
from cryptotrader.store.database import Session
from cryptotrader.store.read import bot_profit
from cryptotrader.store.schema import BotRow, EquityRow, SnapshotRow
from cryptotrader.store.snapshots import last_equity


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One asset of an account."""

    asset: str
    free: Decimal
    locked: Decimal
    total: Decimal


def take_snapshot(desk: Desk, account: str) -> tuple[BalanceLine, ...]:
    """Store the balances of an account and the equity of its bots; either all of it or nothing."""
    balances = desk.venue(account).fetch_balances()
    lines = tuple(BalanceLine(a, b.free, b.locked, b.total) for a, b in sorted(balances.items()))
    at = desk.runtime.wall.now()
    with desk.db.transaction("snapshot") as session:
        for line in lines:
            session.add(SnapshotRow(account=account, at=at, asset=line.asset, free=line.free, locked=line.locked,
                                    total=line.total))  # fmt: skip
        for bot in open_bots(session, account):
            _snap_bot(desk, session, bot)
    return lines


def _snap_bot(desk: Desk, session: Session, bot: BotRow) -> None:
    """Add a point to the bot's equity curve, once per market moment."""
    if bot.last_price is None or bot.market_at is None:
        return
    last = last_equity(session, bot.id)
    if last is not None and last.market_at >= bot.market_at:
        return
    profit = bot_profit(session, bot, bot.last_price)
    peak, drawdown = draw_down(last.high_water if last else bot.investment, profit.equity)
    session.add(
        EquityRow(
            bot_id=bot.id, market_at=bot.market_at, at=desk.runtime.wall.now(), price=bot.last_price,
            equity=profit.equity, grid_profit=profit.grid_profit, inventory_pnl=profit.inventory_pnl,
            hold_pnl=profit.hold_pnl, high_water=peak, drawdown_frac=drawdown,
        )
    )  # fmt: skip
