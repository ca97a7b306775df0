"""A strict judge after the storm: it believes the exchange's own book, and holds ours to it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from cryptotrader.core.cells import CellStatus, Phase
from cryptotrader.execution.desk import Desk
from cryptotrader.store.books import balance_of, ledger_sums, owned_assets
from cryptotrader.store.bots import find_bot, load_state
from cryptotrader.store.database import Session
from cryptotrader.store.read import bot_profit
from cryptotrader.store.schema import TERMINAL, CellRow, FillRow, IntentRow, IntentState, LedgerBalanceRow, OutboxRow
from cryptotrader.store.verify import realised_by_fills, wrong_balances
from tests.execution.world import BOT, SYMBOL

LOT = Decimal("0.001")
REASONS = ("has no base to sell", "capital: needs", "own sell at", "own buy at")  # why a cell may rest without order


@dataclass(frozen=True, slots=True)
class Accepted:
    """An order as it stands in the exchange's own book."""

    client_order_id: str
    side: str
    price: Decimal
    quantity: Decimal
    filled: Decimal
    status: str


def accepted_orders(folder: Path) -> list[Accepted]:
    """Return every order that the exchange ever accepted and that carries our prefix."""
    query = ("SELECT client_order_id, side, price, quantity, filled, status FROM orders"
             " WHERE client_order_id LIKE 'ct%' ORDER BY id")  # fmt: skip
    with closing(sqlite3.connect(folder / "paper.db")) as book:
        rows = book.execute(query).fetchall()
    return [Accepted(i, side, Decimal(p), Decimal(q), Decimal(f), status) for i, side, p, q, f, status in rows]


def moved_from_outside(folder: Path, deposit: dict[str, Decimal]) -> dict[str, Decimal]:
    """Return what was deposited or taken out since the book was born."""
    with closing(sqlite3.connect(folder / "paper.db")) as book:
        rows = book.execute("SELECT asset, amount FROM external_move").fetchall()
    moved = {asset: -amount for asset, amount in deposit.items()}
    for asset, amount in rows:
        moved[asset] = moved.get(asset, Decimal(0)) + Decimal(amount)
    return moved


def judge(desk: Desk, folder: Path, deposit: dict[str, Decimal], by_hand: frozenset[str] = frozenset()) -> None:
    """Hold the end of a run to every invariant that can be read off the two books.

    Args:
        by_hand: orders of ours that a person cancelled at the exchange.
    """
    orders = accepted_orders(folder)
    with desk.db.reading() as session:
        intents = {intent.client_order_id: intent for intent in session.scalars(select(IntentRow))}
        judge_orders(orders, intents, by_hand)
        _judge_money(desk, session, moved_from_outside(folder, deposit))
        _judge_intents(desk, session, intents)
        _judge_limits(session, orders, intents)
        _judge_cells(session, intents)


def judge_orders(orders: list[Accepted], intents: dict[str, IntentRow], by_hand: frozenset[str]) -> None:
    """I2, I3, I4, I5: each accepted order once, ours by a row written before, to the last digit; no cell too much.

    An order that is hidden from us, cancelled by hand and never executed leaves no trace: its id may go once more.
    """
    gone = [o for o in orders if o.client_order_id in by_hand and o.status == "canceled" and not o.filled]
    ids = [order.client_order_id for order in orders if order not in gone]
    assert len(ids) == len(set(ids)), f"accepted twice: {sorted(i for i in set(ids) if ids.count(i) > 1)}"
    executed: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    asked: dict[tuple[object, ...], list[Decimal]] = defaultdict(list)
    for order in orders:
        intent = intents[order.client_order_id]
        assert (order.side, order.quantity) == (intent.side, intent.quantity)
        assert intent.type == "market" or order.price == intent.price
        place = (intent.purpose, intent.cell, intent.cycle, intent.side)
        executed[place] += order.filled
        asked[place].append(order.quantity)
    for place, total in executed.items():
        # a START that is topped up is rounded up to the lot each time
        allowed = max(asked[place]) + (LOT * len(asked[place]) if place[0] == "start" else 0)
        assert total <= allowed, f"{place} executed {total} of {allowed}"


def _judge_money(desk: Desk, session: Session, moved: dict[str, Decimal]) -> None:
    """I12, I13, I15, I16: every trade once, the ledger is the venue, double entries sum to 0, profit adds up."""
    venue, bot = desk.venue("paper"), find_bot(session, BOT)
    trades = {trade.trade_id: trade for trade in venue.fetch_trades(SYMBOL, 0)}
    fills = {fill.trade_id: fill for fill in session.scalars(select(FillRow))}
    assert fills.keys() == trades.keys()
    for number, trade in trades.items():
        fill = fills[number]
        assert (fill.price, fill.quantity, fill.fee, fill.fee_asset) == (
            trade.price, trade.quantity, trade.fee, trade.fee_asset,
        )  # fmt: skip
    sums = ledger_sums(session)
    for asset in {asset for _, asset in sums}:
        assert sum(amount for (_, a), amount in sums.items() if a == asset) == 0
    assert wrong_balances(session) == ()
    held = {asset: balance.total - moved.get(asset, 0) for asset, balance in venue.fetch_balances().items()}
    owned = owned_assets(session, "paper", [BOT])
    assert {a: m for a, m in owned.items() if m} == {a: m for a, m in held.items() if m}
    assert realised_by_fills(session, bot) == bot.realised
    profit = bot_profit(session, bot, venue.fetch_ticker(SYMBOL).last)  # raises when ledger and lots disagree
    assert profit.total_pnl == profit.grid_profit + profit.inventory_pnl
    held_by_bot = session.get(LedgerBalanceRow, (f"bot:{BOT}", "BTC"))
    assert load_state(session, bot).base == (held_by_bot.amount if held_by_bot else 0)


def _judge_intents(desk: Desk, session: Session, intents: dict[str, IntentRow]) -> None:
    """I1, I3, I14, I32: nothing unknown, one live order a slot, fills sum up, the venue shows what we believe."""
    live: set[tuple[int, str]] = set()
    shown = {order.client_order_id: order for order in desk.venue("paper").fetch_open_orders(SYMBOL)}
    for intent in intents.values():
        fills = session.scalars(select(FillRow).where(FillRow.client_order_id == intent.client_order_id)).all()
        assert sum((f.quantity for f in fills), Decimal(0)) == intent.filled_base <= intent.quantity
        if intent.state in TERMINAL:
            assert intent.client_order_id not in shown, f"{intent.client_order_id} is {intent.state}, and open"
            continue
        assert (intent.cell, intent.purpose) not in live
        live.add((intent.cell, intent.purpose))
        assert intent.state in (IntentState.OPEN, IntentState.QUARANTINED), f"{intent.client_order_id} {intent.state}"
        assert intent.state == IntentState.QUARANTINED or intent.client_order_id in shown
    known = {i for i, intent in intents.items() if intent.state not in TERMINAL}
    assert {order_id for order_id in shown if order_id.startswith("ct")} <= known


def _judge_limits(session: Session, orders: list[Accepted], intents: dict[str, IntentRow]) -> None:
    """I7, I10, I11: no own cross; open orders of the bot are covered by what the bot owns."""
    resting = [o for o in orders if o.status == "open"]
    buys = [o for o in resting if o.side == "buy"]
    sells = [o for o in resting if o.side == "sell"]
    if buys and sells:
        assert max(o.price for o in buys) < min(o.price for o in sells)
    quote = balance_of(session, f"bot:{BOT}", "USDT")
    assert sum((o.price * (o.quantity - o.filled) for o in buys), Decimal(0)) <= quote
    base = balance_of(session, f"bot:{BOT}", "BTC")
    assert sum((o.quantity - o.filled for o in sells), Decimal(0)) <= base


def _judge_cells(session: Session, intents: dict[str, IntentRow]) -> None:
    """I32: every cell has its order, or says why not; a quarantine has told somebody."""
    bot = find_bot(session, BOT)
    live = {(i.cell, i.purpose): i for i in intents.values() if i.state not in TERMINAL}
    alerts = [alert.message for alert in session.scalars(select(OutboxRow).where(OutboxRow.severity == "critical"))]
    for intent in live.values():
        if intent.state == IntentState.QUARANTINED:
            assert any(intent.client_order_id in message for message in alerts)
    if bot.phase != Phase.RUNNING:
        return
    for cell in session.scalars(select(CellRow).where(CellRow.bot_id == bot.id)):
        if (cell.cell, "cell") in live or cell.state == CellStatus.PARKED:
            continue
        assert cell.reason.startswith(REASONS), f"{cell.cell}: {cell.reason!r}"
