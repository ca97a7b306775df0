"""Read models: what pages, commands and artifacts show of a bot, from one consistent look at the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cryptotrader.core.profit import Profit, Purse, compute_profit
from cryptotrader.core.reconcile import Control
from cryptotrader.store.books import balance_of, bot_account
from cryptotrader.store.bots import load_state, read_market
from cryptotrader.store.control import load_ruling
from cryptotrader.store.intents import KNOWN_OPEN, live_intents
from cryptotrader.store.schema import BotRow, CellRow, FillRow, IntentRow, LeaseRow

UNKNOWN_STATES = ("sent", "unknown", "cancel_sent", "unknown_cancel", "quarantined")


@dataclass(frozen=True, slots=True)
class FillLine:
    """One fill, for people."""

    trade_id: int
    at: datetime
    bot: str
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    notional: Decimal
    fee: Decimal
    fee_asset: str
    realised: Decimal
    cell: int | None
    purpose: str | None
    order_id: str | None
    is_maker: bool


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order, for people. `cell` -1 marks none."""

    order_id: str
    bot: str
    symbol: str
    side: str
    type: str
    price: Decimal
    quantity: Decimal
    filled: Decimal
    state: str
    purpose: str
    cell: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LevelLine:
    """One cell of a bot: its order, or why it has none."""

    cell: int
    state: str
    side: str
    price: Decimal | None
    quantity: Decimal
    cycle: int
    reason: str


@dataclass(frozen=True, slots=True)
class BotStatus:
    """A bot at a glance. Prices and profit are None before its first pass."""

    name: str
    symbol: str
    account: str
    mode: str
    phase: str
    control: Control
    note: str
    lease_holder: str | None
    lease_expires_at: datetime | None
    last_pass_at: datetime | None
    market_at: datetime | None
    market_label: str
    price: Decimal | None
    profit: Profit | None
    open_orders: int
    unknown_orders: int
    fills: int
    cycles: int
    fees: dict[str, Decimal]
    idle: tuple[LevelLine, ...]


def bot_profit(session: Session, bot: BotRow, mark: Decimal) -> Profit:
    """Compute a bot's profit at a mark price from ledger and lots; they have to agree."""
    market, state, owner = read_market(bot.market), load_state(session, bot), bot_account(bot)
    purse = Purse(
        quote=balance_of(session, owner, market.quote), base=balance_of(session, owner, market.base),
        investment=bot.investment, entry_base=bot.entry_base,
        entry_cost=state.entry_cost if state.start_price else bot.entry_base * mark,
        taken_out=bot.taken_out, third_fees=bot.third_fees,
    )  # fmt: skip
    cost = state.inventory_cost if state.start_price else bot.entry_base * mark
    return compute_profit(purse, realised=state.realised, inventory_cost=cost, mark=mark, start_price=bot.start_price)


def fees_paid(session: Session, bot: BotRow) -> dict[str, Decimal]:
    """Return the fees of a bot by asset."""
    fees: dict[str, Decimal] = {}
    query = select(FillRow.fee_asset, FillRow.fee).where(FillRow.bot_id == bot.id)
    for asset, amount in session.execute(query):
        fees[asset] = fees.get(asset, Decimal(0)) + amount
    return fees


def bot_status(session: Session, name: str) -> BotStatus:
    """Return the status of a bot. Raises `NoResultFound` for an unknown name: look it up with `find_bot` first."""
    bot = session.scalars(select(BotRow).where(BotRow.name == name)).one()
    intents = live_intents(session, bot.id)
    lease = session.get(LeaseRow, (bot.account, bot.symbol))
    fills = session.scalar(select(func.count()).select_from(FillRow).where(FillRow.bot_id == bot.id)) or 0
    return BotStatus(
        name=bot.name, symbol=bot.symbol, account=bot.account, mode=bot.mode, phase=bot.phase,
        control=load_ruling(session, bot.account, bot.name).control, note=bot.note,
        lease_holder=lease.holder if lease else None, lease_expires_at=lease.expires_at if lease else None,
        last_pass_at=bot.last_pass_at, market_at=bot.market_at, market_label=bot.market_label, price=bot.last_price,
        profit=None if bot.last_price is None else bot_profit(session, bot, bot.last_price),
        open_orders=sum(i.state in KNOWN_OPEN for i in intents),
        unknown_orders=sum(i.state in UNKNOWN_STATES for i in intents),
        fills=fills, cycles=bot.cycles, fees=fees_paid(session, bot),
        idle=tuple(line for line in bot_levels(session, bot) if line.reason),
    )  # fmt: skip


def bot_levels(session: Session, bot: BotRow) -> tuple[LevelLine, ...]:
    """Return every cell of a bot with its resting order, or the reason why there is none, lowest cell first."""
    resting = {i.cell: i for i in live_intents(session, bot.id) if i.purpose == "cell"}
    lines = []
    for cell in session.scalars(select(CellRow).where(CellRow.bot_id == bot.id).order_by(CellRow.cell)):
        order = resting.get(cell.cell)
        if order is None:
            lines.append(LevelLine(cell.cell, cell.state, "", None, cell.quantity, cell.cycle, cell.reason))
        else:
            left = order.quantity - order.filled_base
            lines.append(LevelLine(cell.cell, cell.state, order.side, order.price, left, cell.cycle, cell.reason))
    return tuple(lines)


def recent_fills(
    session: Session, bot_name: str | None = None, *, after_id: int = 0, limit: int = 1000
) -> tuple[FillLine, ...]:
    """Return fills with a trade id above `after_id`, oldest first; the newest `limit` of them."""
    query = select(FillRow, BotRow.name).join(BotRow, BotRow.id == FillRow.bot_id).where(FillRow.trade_id > after_id)
    if bot_name is not None:
        query = query.where(BotRow.name == bot_name)
    rows = session.execute(query.order_by(FillRow.at.desc(), FillRow.trade_id.desc()).limit(limit)).all()
    return tuple(
        FillLine(f.trade_id, f.at, name, f.symbol, f.side, f.price, f.quantity, f.notional, f.fee, f.fee_asset,
                 f.realised, f.cell, f.purpose, f.client_order_id, f.is_maker)
        for f, name in reversed(rows)
    )  # fmt: skip


def list_orders(
    session: Session, bot_name: str | None = None, *, open_only: bool, limit: int = 1000
) -> tuple[OrderLine, ...]:
    """Return orders, newest first."""
    query = select(IntentRow, BotRow).join(BotRow, BotRow.id == IntentRow.bot_id)
    if bot_name is not None:
        query = query.where(BotRow.name == bot_name)
    if open_only:
        query = query.where(IntentRow.state.in_((*KNOWN_OPEN, *UNKNOWN_STATES)))
    rows = session.execute(query.order_by(IntentRow.created_at.desc(), IntentRow.client_order_id).limit(limit)).all()
    return tuple(
        OrderLine(i.client_order_id, b.name, b.symbol, i.side, i.type, i.price, i.quantity, i.filled_base, i.state,
                  i.purpose, i.cell, i.created_at)
        for i, b in rows
    )  # fmt: skip
