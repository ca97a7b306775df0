"""Close a bot for good: halt it, prove that none of its orders is left, hand its money back, and state how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cryptotrader.core.cells import Phase
from cryptotrader.core.profit import Profit
from cryptotrader.errors import InputRefused
from cryptotrader.execution.commands import needs_reason, record_audit
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.hold import find_open_bot, holding, keep_lease
from cryptotrader.execution.job import Job
from cryptotrader.execution.place import place
from cryptotrader.execution.settle import BETWEEN_NEGATIVES
from cryptotrader.execution.stop import stop_bots
from cryptotrader.execution.tend import trade_until_now
from cryptotrader.execution.trading_pass import catch_up
from cryptotrader.store.books import bot_account, holdings_of, post, wallet_account
from cryptotrader.store.bots import drop_lots, get_bot, load_state
from cryptotrader.store.database import Session
from cryptotrader.store.intents import live_intents
from cryptotrader.store.outbox import add_alert
from cryptotrader.store.read import bot_profit, bot_status
from cryptotrader.store.schema import BotRow, IntentRow, IntentState

TRIES = 12  # so long as three spaced negatives take to prove that an order never arrived


@dataclass(frozen=True, slots=True)
class Statement:
    """How a bot ended.

    Attributes:
        price: what its base was valued at.
        profit: the three numbers at that price, before the money was handed back.
        fees: by asset. holdings: what went to the wallet, by asset; below zero, a fee that the wallet has paid.
        sold: base sold by the exit of this command.
    """

    bot: str
    symbol: str
    account: str
    opened_at: datetime
    closed_at: datetime
    investment: Decimal
    price: Decimal
    fills: int
    cycles: int
    profit: Profit
    fees: dict[str, Decimal]
    holdings: dict[str, Decimal]
    sold: Decimal


def close_bot(
    desk: Desk, bot: str, *, sell: bool, reason: str, on_progress: Callable[[str], None] = lambda _line: None
) -> Statement:
    """Stop a bot as `stop_bots` does, then move what it owns to the wallet and write that it is closed.

    Base that is left goes to the wallet at its cost, so that the bot's books end at zero and its profit with what it
    has realised; the statement also tells what that base was worth.

    Args:
        sell: first sell what the ledger says it owns, at market.

    Raises:
        InputRefused: an unknown or closed bot, no reason, or an order that is not proven ended: the bot is halted
            then, and not closed.
        LeaseHeld: another process kept the bot for longer than a lease lasts; it is halted.
    """
    reason = needs_reason(reason)
    with desk.db.reading() as session:
        find_open_bot(session, bot)
    sold = stop_bots(desk, (bot,), reason=reason, sell=sell, on_progress=on_progress).sold
    if sell:
        sold += _sell_rest(desk, bot)
    with holding(desk, bot) as job:
        price = _settled_price(job)
        with desk.db.transaction("close") as session:
            keep_lease(session, job)
            row = get_bot(session, job.bot_id)
            statement = _statement(session, row, price, sold, job.now)
            _hand_back(session, row, statement)
            detail = {"reason": reason, "total_pnl": f"{statement.profit.total_pnl:f}", "price": f"{price:f}"}
            record_audit(session, desk, "bot.close", bot, detail)
            message = f"{bot}: closed after {statement.fills} fills, total {statement.profit.total_pnl:+f}"
            add_alert(session, bot_id=row.id, severity="info", kind="bot.closed", message=message, at=job.now)
    return statement


def _sell_rest(desk: Desk, bot: str) -> Decimal:
    """Let the exit go through that another process, at work on the bot, kept the stop from sending."""
    before = _base(desk, bot)
    for _ in range(TRIES):
        if trade_until_now(desk, bot).outcome != "skipped":
            break
        desk.runtime.wall.sleep(BETWEEN_NEGATIVES.total_seconds())
    return before - _base(desk, bot)


def _base(desk: Desk, bot: str) -> Decimal:
    with desk.db.reading() as session:
        return load_state(session, find_open_bot(session, bot)).base


def _settled_price(job: Job) -> Decimal:
    """Book and settle until no order of the bot is live; return the price then."""
    for _ in range(TRIES):
        ticker, known, again = catch_up(job)
        with job.db.transaction("hold") as session:
            keep_lease(session, job)
        if any(intent.state == IntentState.PENDING for intent in known.intents):
            place(job, ())  # voids what was never sent
        live = _live(job)
        if not live and not again:
            return ticker.last
        if any(intent.state == IntentState.QUARANTINED for intent in live):
            break
        if live and not again:
            job.runtime.wall.sleep(BETWEEN_NEGATIVES.total_seconds())
    orders = ", ".join(f"{intent.client_order_id} is {intent.state}" for intent in _live(job))
    raise InputRefused(
        f"{job.name} is halted but not closed: {orders or 'the venue still tells of changes'}.", field="bot",
        value=job.name, hint="Close it again later; a quarantined order needs `orders resolve` first.",
    )  # fmt: skip


def _live(job: Job) -> list[IntentRow]:
    with job.db.reading() as session:
        return live_intents(session, job.bot_id)


def _statement(session: Session, bot: BotRow, price: Decimal, sold: Decimal, at: datetime) -> Statement:
    status = bot_status(session, bot.name)
    return Statement(
        bot=bot.name, symbol=bot.symbol, account=bot.account, opened_at=bot.created_at, closed_at=at,
        investment=bot.investment, price=price, fills=status.fills, cycles=status.cycles,
        profit=bot_profit(session, bot, price), fees=status.fees, holdings=holdings_of(session, bot_account(bot)),
        sold=sold,
    )  # fmt: skip


def _hand_back(session: Session, bot: BotRow, statement: Statement) -> None:
    """Move everything to the wallet; what leaves counts as taken out: quote as it is, base at its cost."""
    state, owner, wallet = load_state(session, bot), bot_account(bot), wallet_account(bot.account)
    moves = [(asset, amount) for asset, amount in statement.holdings.items() if amount]
    entries = [entry for asset, amount in moves for entry in ((owner, asset, -amount), (wallet, asset, amount))]
    post(session, f"close:{bot.name}", entries, at=statement.closed_at)
    quote = statement.holdings.get(bot.symbol.partition("/")[2], Decimal(0))
    bot.taken_out += quote + state.inventory_cost
    drop_lots(session, bot.id)
    bot.phase, bot.closed_at, bot.note = Phase.ENDED.value, statement.closed_at, "closed"
    bot.last_price = statement.price
