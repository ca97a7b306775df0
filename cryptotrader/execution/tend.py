"""Tend a bot: let its market move fill by fill, one pass after each, until now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from cryptotrader.core.profit import Profit
from cryptotrader.errors import LeaseHeld
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.job import Tally, open_job
from cryptotrader.execution.latch import fold_latch_in
from cryptotrader.execution.trading_pass import look, run_pass
from cryptotrader.store.bots import find_bot, load_state, note_pass
from cryptotrader.store.lease import lease_holder
from cryptotrader.store.read import LevelLine, bot_levels, bot_profit, fees_paid
from cryptotrader.store.schema import BotRow
from cryptotrader.venue.port import Venue


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to do for a bot; `work` is empty when a pass would change nothing."""

    bot: str
    work: tuple[str, ...]
    held_by: str | None = None


@dataclass(frozen=True, slots=True)
class TendReport:
    """What tending did, and how the bot stands afterwards.

    Attributes:
        outcome: "traded", "idle" (nothing changed) or "skipped" (somebody else holds the lease).
    """

    bot: str
    outcome: str
    passes: int = 0
    fills: int = 0
    placed: int = 0
    cancelled: int = 0
    cycles: int = 0
    levels: tuple[LevelLine, ...] = ()
    profit: Profit | None = None
    fees: dict[str, Decimal] | None = None
    price: Decimal | None = None
    market_at: datetime | None = None
    market_label: str = ""
    skipped_because: str | None = None


def survey(desk: Desk, name: str) -> Survey:
    """Move a paper market on to its next event and say what there is to do, without doing it."""
    fold_latch_in(desk)
    with desk.db.reading() as session:
        bot = find_bot(session, name)
        holder = lease_holder(session, bot.account, bot.symbol, now=desk.runtime.wall.now())
    if holder is not None:
        return Survey(name, (), holder)
    venue = desk.venue(bot.account)
    if work := look(desk.db, venue, desk.runtime, name):
        return Survey(name, work)
    _advance(desk, venue, name)
    if work := look(desk.db, venue, desk.runtime, name):
        return Survey(name, work)
    note_price(desk, venue, bot)
    return Survey(name, ())


def trade_until_now(desk: Desk, name: str) -> TendReport:
    """Run passes, fill by fill, until the market has caught up with now and a pass finds nothing to do."""
    fold_latch_in(desk)
    with desk.db.reading() as session:
        bot = find_bot(session, name)
    venue, symbol = desk.venue(bot.account), bot.symbol
    passes, total = 0, Tally()
    try:
        while True:
            result = run_pass(desk.db, venue, desk.runtime, name)
            passes, total = passes + 1, _added(total, result.tally)
            if not venue.advance(symbol, result.watches) and result.tally.total == 0:
                break
    except LeaseHeld as held:
        return TendReport(name, "skipped", passes=passes, skipped_because=str(held))
    return _report(desk, name, passes, total)


def _advance(desk: Desk, venue: Venue, name: str) -> None:
    """Let the market move to the bot's next event."""
    job = open_job(desk.db, venue, desk.runtime, name)
    with desk.db.reading() as session:
        state = load_state(session, session.get_one(BotRow, job.bot_id))
    venue.advance(job.symbol, job.strategy.watches(state))


def note_price(desk: Desk, venue: Venue, bot: BotRow) -> None:
    """Write the price of a look that found nothing to do, so that pages show how fresh they are."""
    ticker = venue.fetch_ticker(bot.symbol)
    with desk.db.transaction("price") as session:
        note_pass(session, bot.id, note=bot.note, price=ticker.last, market_at=ticker.at,
                  label=venue.market_label, at=desk.runtime.wall.now())  # fmt: skip


def _added(one: Tally, other: Tally) -> Tally:
    return Tally(
        one.rounds + other.rounds, one.fills + other.fills, one.placed + other.placed,
        one.cancelled + other.cancelled, one.refused + other.refused,
    )  # fmt: skip


def _report(desk: Desk, name: str, passes: int, total: Tally) -> TendReport:
    with desk.db.reading() as session:
        bot = find_bot(session, name)
        return TendReport(
            bot=name, outcome="traded" if total.total else "idle", passes=passes, fills=total.fills,
            placed=total.placed, cancelled=total.cancelled, cycles=bot.cycles, levels=bot_levels(session, bot),
            profit=None if bot.last_price is None else bot_profit(session, bot, bot.last_price),
            fees=fees_paid(session, bot), price=bot.last_price, market_at=bot.market_at,
            market_label=bot.market_label,
        )  # fmt: skip
