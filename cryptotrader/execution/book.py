"""Book fills: every trade of the venue once, in one transaction each, whatever comes twice or out of order."""

from __future__ import annotations

from itertools import takewhile

from cryptotrader.core.market import Side
from cryptotrader.core.orders import OrderType, VenueTrade
from cryptotrader.core.strategy import Applied, Fill
from cryptotrader.errors import BooksDisagree
from cryptotrader.execution.job import Job
from cryptotrader.execution.strangers import unknown_orders
from cryptotrader.store.books import (
    bot_account,
    is_booked,
    post,
    trade_entries,
    wallet_account,
)
from cryptotrader.store.bots import get_bot, load_state, save_state
from cryptotrader.store.database import Session
from cryptotrader.store.intents import PREFIX, find_by_venue_id, known_venue_ids, move_intent, slot_of, unproven_intents
from cryptotrader.store.schema import TERMINAL, ExternalMoveRow, FillRow, IntentRow, IntentState, OutboxRow

PAGE = 1000


def unbooked_trades(job: Job, start: int, known: frozenset[int]) -> tuple[VenueTrade, ...]:
    """Return the venue's trades that are not in the books yet, oldest first.

    Args:
        start: the trade id to read from, an overlap before the last one booked.
        known: the ids from there on that are booked.
    """
    fresh: list[VenueTrade] = []
    while True:
        page = job.venue.fetch_trades(job.symbol, start, PAGE)
        fresh += [trade for trade in page if trade.trade_id not in known]
        if len(page) < PAGE:
            return tuple(fresh)
        start = page[-1].trade_id + 1


def withhold(job: Job, trades: tuple[VenueTrade, ...]) -> tuple[VenueTrade, ...]:
    """Return the trades up to the first of an open order with the bot's own prefix that the books do not know.

    Such an order waits for a person: adopted, its trades are ours; cancelled, they are external.
    """
    if not trades:
        return trades
    with job.db.reading() as session:
        unexplained = {trade.venue_order_id for trade in trades}
        unexplained -= known_venue_ids(session, job.venue.account, unexplained)
    if not unexplained:
        return trades
    orders = job.venue.fetch_open_orders(job.symbol)
    with job.db.reading() as session:
        unknown = unknown_orders(session, orders)
    ours = f"{PREFIX}{job.incarnation}"
    waiting = {order.venue_order_id for order in unknown if order.client_order_id.startswith(ours)}
    return tuple(takewhile(lambda trade: trade.venue_order_id not in waiting, trades))


def book_trades(job: Job, trades: tuple[VenueTrade, ...]) -> tuple[VenueTrade, ...]:
    """Book each trade: fill, ledger, intent totals, cell and alert in one transaction.

    Returns:
        The trades that wait: they may be of an order of ours that the venue has not shown yet.
    """
    waiting = []
    for trade in trades:
        with job.db.transaction("fill") as session:
            if is_booked(session, job.venue.account, trade.symbol, trade.trade_id):
                continue
            intent = find_by_venue_id(session, job.venue.account, trade.symbol, trade.venue_order_id)
            if intent is None and any(may_be_of(i, trade) for i in unproven_intents(session, job.bot_id)):
                waiting.append(trade)
                continue
            if intent is None:
                _book_foreign(job, session, trade)
            else:
                _book_ours(job, session, trade, intent)
        job.tally.fills += 1
    return tuple(waiting)


def may_be_of(intent: IntentRow, trade: VenueTrade) -> bool:
    """Whether a trade of an order that we do not know could be an execution of this unproven one."""
    if trade.side != intent.side or trade.quantity > intent.quantity:
        return False
    within = trade.price <= intent.price if trade.side is Side.BUY else trade.price >= intent.price
    return within or intent.type == OrderType.MARKET


def _book_ours(job: Job, session: Session, trade: VenueTrade, intent: IntentRow) -> None:
    bot = get_bot(session, intent.bot_id)
    filled = intent.filled_base + trade.quantity
    if filled > intent.quantity:
        raise BooksDisagree(f"order {intent.client_order_id} executed {filled}, more than its {intent.quantity}")
    fill = Fill(
        slot_of(intent), trade.side, trade.price, trade.quantity, trade.fee_asset, trade.fee, trade.fee_quote,
        completes=filled == intent.quantity,
    )  # fmt: skip
    before = load_state(session, bot)
    applied = job.strategy.apply(before, fill)
    save_state(session, bot, before, applied.state)
    intent.filled_base, intent.filled_quote = filled, intent.filled_quote + fill.notional
    if fill.completes and intent.state not in TERMINAL and intent.state != IntentState.QUARANTINED:
        move_intent(intent, IntentState.FILLED, now=job.now)
    if trade.fee_asset not in (job.market.base, job.market.quote):
        bot.third_fees += trade.fee_quote
    _write_fill(job, session, trade, intent, applied)
    post(session, f"fill:{job.venue.account}:{trade.symbol}:{trade.trade_id}",
         trade_entries(bot_account(bot), job.venue.account, job.market, trade), at=trade.at)  # fmt: skip


def _write_fill(job: Job, session: Session, trade: VenueTrade, intent: IntentRow, applied: Applied) -> None:
    session.add(
        FillRow(
            account=job.venue.account, symbol=trade.symbol, trade_id=trade.trade_id, bot_id=intent.bot_id,
            client_order_id=intent.client_order_id, cell=intent.cell, purpose=intent.purpose, cycle=intent.cycle,
            side=trade.side.value, price=trade.price, quantity=trade.quantity,
            notional=trade.price * trade.quantity, fee_asset=trade.fee_asset, fee=trade.fee,
            fee_quote=trade.fee_quote, is_maker=trade.is_maker, realised=applied.realised, at=trade.at,
            booked_at=job.now,
        )
    )  # fmt: skip
    verb = "bought" if trade.side is Side.BUY else "sold"
    gain = f", realised {applied.realised:+f} {job.market.quote}" if trade.side is Side.SELL else ""
    message = f"{job.name}: {verb} {trade.quantity} {job.market.base} at {trade.price}{gain}"
    session.add(OutboxRow(at=job.now, bot_id=intent.bot_id, severity="info", kind="order.filled", message=message))


def _book_foreign(job: Job, session: Session, trade: VenueTrade) -> None:
    """Book a trade that no intent of ours explains as an external move of the account's wallet."""
    account = job.venue.account
    session.add(
        FillRow(
            account=account, symbol=trade.symbol, trade_id=trade.trade_id, side=trade.side.value, price=trade.price,
            quantity=trade.quantity, notional=trade.price * trade.quantity, fee_asset=trade.fee_asset, fee=trade.fee,
            fee_quote=trade.fee_quote, is_maker=trade.is_maker, realised=trade.price * 0, at=trade.at,
            booked_at=job.now,
        )
    )  # fmt: skip
    message = f"a trade that is not ours: {trade.side} {trade.quantity} {trade.symbol} at {trade.price} on {account}"
    sign = 1 if trade.side is Side.BUY else -1
    session.add(ExternalMoveRow(account=account, asset=job.market.base, amount=sign * trade.quantity, kind="trade",
                                note=message, at=job.now))  # fmt: skip
    session.add(OutboxRow(at=job.now, bot_id=None, severity="warning", kind="trade.foreign", message=message))
    entries = trade_entries(wallet_account(account), account, job.market, trade)
    post(session, f"fill:{account}:{trade.symbol}:{trade.trade_id}", entries, at=trade.at)
