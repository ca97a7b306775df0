"""Bots and their state: rows to values and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from cryptotrader.core.cells import BotState, Cell, CellStatus, Phase
from cryptotrader.core.lots import Lot
from cryptotrader.core.market import FeeIn, Market
from cryptotrader.errors import InputRefused
from cryptotrader.store.schema import BotRow, CellRow, LotRow

_BOTS = cast(Table, BotRow.__table__)
_NOTE_PASS = (
    update(_BOTS)
    .where(_BOTS.c.id == bindparam("bot"))
    .values(last_price=bindparam("seen"), market_at=bindparam("when"), market_label=bindparam("of_market"),
            note=bindparam("why"), last_pass_at=bindparam("now"))
)  # fmt: skip

_BOT = select(BotRow).where(BotRow.id == bindparam("bot"))
_NAMED = select(BotRow).where(BotRow.name == bindparam("name"))

_LOTS_OF = (
    select(LotRow.cell, LotRow.seq, LotRow.base, LotRow.cost_quote)
    .where(LotRow.bot_id == bindparam("bot"))
    .order_by(LotRow.cell, LotRow.seq)
)
_REASONS_OF = select(CellRow.cell, CellRow.reason).where(CellRow.bot_id == bindparam("bot"))
_CELLS_OF = (
    select(CellRow.cell, CellRow.state, CellRow.quantity, CellRow.cycle, CellRow.bought, CellRow.sold)
    .where(CellRow.bot_id == bindparam("bot"))
    .order_by(CellRow.cell)
)

START_CELL = -1  # where lots of the START order lie until they are shared out


def note_pass(
    session: Session, bot_id: int, *, note: str, price: Decimal, market_at: datetime, label: str, at: datetime
) -> None:
    """Write what a pass saw: the price, when, and why the bot as a whole does nothing ("" when it trades)."""
    seen = {"bot": bot_id, "seen": price, "when": market_at, "of_market": label, "why": note, "now": at}
    session.connection().execute(_NOTE_PASS, seen)


def get_bot(session: Session, bot_id: int) -> BotRow:
    """Return the bot of a number that we gave."""
    return session.scalars(_BOT, {"bot": bot_id}).one()


def find_bot(session: Session, name: str) -> BotRow:
    """Return a bot by its name.

    Raises:
        InputRefused: there is none; the hint lists those there are.
    """
    bot = session.scalars(_NAMED, {"name": name}).one_or_none()
    if bot is None:
        names = ", ".join(session.scalars(select(BotRow.name).order_by(BotRow.id))) or "none yet"
        raise InputRefused(f"There is no bot {name!r}.", field="bot", value=name, hint=f"Bots: {names}.")
    return bot


def has_bot(session: Session, name: str) -> bool:
    """Whether there is or was a bot of this name."""
    return session.scalars(_NAMED, {"name": name}).one_or_none() is not None


def open_bots(session: Session, account: str | None = None) -> tuple[BotRow, ...]:
    """Return the bots that are not closed, oldest first."""
    query = select(BotRow).where(BotRow.closed_at.is_(None)).order_by(BotRow.id)
    return tuple(session.scalars(query if account is None else query.where(BotRow.account == account)))


def market_record(market: Market) -> dict[str, str]:
    """Return a market's rules as text, for a bot's row."""
    return {f.name: str(getattr(market, f.name)) for f in fields(market)}


def read_market(record: Mapping[str, str]) -> Market:
    """Return the market of a bot's row."""
    special = {"symbol": str, "third_asset": str, "fee_in": FeeIn, "max_orders": int}
    return Market(**{name: special.get(name, Decimal)(text) for name, text in record.items()})


def load_state(session: Session, bot: BotRow) -> BotState:
    """Return the state of a bot, its cells and lots included."""
    lots: dict[int, list[Lot]] = defaultdict(list)
    for cell, seq, base, cost in session.execute(_LOTS_OF, {"bot": bot.id}):
        lots[cell].append(Lot(seq, base, cost))
    rows = session.execute(_CELLS_OF, {"bot": bot.id})
    cells = tuple(Cell(i, CellStatus(s), q, n, b, z, tuple(lots.get(i, ()))) for i, s, q, n, b, z in rows)
    return BotState(
        phase=Phase(bot.phase),
        first_price=bot.first_price,
        start_price=bot.start_price,
        cells=cells,
        start_lots=tuple(lots.get(START_CELL, ())),
        next_seq=bot.next_seq,
        realised=bot.realised,
        entry_cost=bot.entry_cost,
        cycles=bot.cycles,
    )


def save_state(session: Session, bot: BotRow, before: BotState, after: BotState) -> None:
    """Write what differs between two states of a bot."""
    if before == after:
        return
    for name in ("first_price", "start_price", "next_seq", "realised", "entry_cost", "cycles"):
        if getattr(bot, name) != getattr(after, name):
            setattr(bot, name, getattr(after, name))
    if bot.phase != after.phase:
        bot.phase = after.phase.value
    if not before.cells and after.cells:
        session.execute(insert(CellRow), [_cell_values(bot.id, cell) for cell in after.cells])
        before = replace(before, cells=tuple(replace(cell, lots=()) for cell in after.cells))
    for old, new in zip(before.cells, after.cells, strict=True):
        if replace(old, lots=()) != replace(new, lots=()):
            session.execute(
                update(CellRow).where(CellRow.bot_id == bot.id, CellRow.cell == new.index)
                .values(**_cell_values(bot.id, new))
            )  # fmt: skip
        _save_lots(session, bot.id, new.index, old.lots, new.lots)
    _save_lots(session, bot.id, START_CELL, before.start_lots, after.start_lots)


def replace_cells(session: Session, bot: BotRow, state: BotState) -> None:
    """Write a state whose cells are others than those stored: all cells and lots of the bot go, the new ones come."""
    before = load_state(session, bot)
    session.execute(delete(CellRow).where(CellRow.bot_id == bot.id))
    drop_lots(session, bot.id)
    save_state(session, bot, replace(before, cells=(), start_lots=()), state)


def drop_lots(session: Session, bot_id: int) -> None:
    """Delete all lots of a bot: what they were of has left it, or is written anew."""
    session.execute(delete(LotRow).where(LotRow.bot_id == bot_id))


def save_reasons(session: Session, bot_id: int, reasons: Mapping[int, str]) -> None:
    """Write why cells have no order; cells that are not named have one."""
    for cell, old in session.execute(_REASONS_OF, {"bot": bot_id}).all():
        if old != (new := reasons.get(cell, "")):
            here = (CellRow.bot_id == bot_id, CellRow.cell == cell)
            session.execute(update(CellRow).where(*here).values(reason=new))


def _cell_values(bot_id: int, cell: Cell) -> dict[str, object]:
    return {
        "bot_id": bot_id, "cell": cell.index, "state": cell.status.value, "quantity": cell.quantity,
        "cycle": cell.cycle, "bought": cell.bought, "sold": cell.sold,
    }  # fmt: skip


def _save_lots(session: Session, bot_id: int, cell: int, before: tuple[Lot, ...], after: tuple[Lot, ...]) -> None:
    if before == after:
        return
    gone = set(before) - set(after)
    if gone:
        session.execute(
            delete(LotRow).where(
                LotRow.bot_id == bot_id, LotRow.cell == cell, LotRow.seq.in_([lot.seq for lot in gone])
            )
        )
    fresh = [lot for lot in after if lot not in set(before)]
    if fresh:
        session.execute(
            insert(LotRow),
            [{"bot_id": bot_id, "cell": cell, "seq": x.seq, "base": x.base, "cost_quote": x.cost_quote} for x in fresh],
        )
