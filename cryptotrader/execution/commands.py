"""The one door to act: what a person, a page or a flow can order. Each leaves a row in the audit chain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from cryptotrader.core.cells import BotState
from cryptotrader.core.grid.config import GridConfig
from cryptotrader.core.grid.plan import GridPlan, plan_grid
from cryptotrader.core.market import Market
from cryptotrader.core.reconcile import Control
from cryptotrader.errors import InputRefused
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.strangers import WAYS_OUT, refusal, unknown_orders
from cryptotrader.store.audit import append_audit
from cryptotrader.store.books import balance_of, bot_account, post, wallet_account, was_opened
from cryptotrader.store.bots import find_bot, has_bot, market_record, open_bots
from cryptotrader.store.control import GLOBAL, set_control
from cryptotrader.store.database import Session
from cryptotrader.store.schema import BotRow, ExternalMoveRow
from cryptotrader.venue.port import Venue

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class BotLine:
    """A bot as lists show it."""

    name: str
    symbol: str
    account: str
    mode: str


@dataclass(frozen=True, slots=True)
class NewBot:
    """A bot as asked for. `market` None: the symbol's rules as the venue tells them."""

    name: str
    config: GridConfig
    market: Market | None = None


def list_bots(desk: Desk) -> tuple[BotLine, ...]:
    """Return the bots that are not closed, oldest first."""
    with desk.db.reading() as session:
        return tuple(_line(bot) for bot in open_bots(session))


def add_bot(desk: Desk, *, name: str, account: str, config: GridConfig, market: Market | None = None) -> BotLine:
    """Add a grid bot: check it against the market, give it its money, and leave the rest to the next pass.

    Args:
        name: lower-case letters, digits and dashes.
        config: the grid; an investment left out becomes the cost of its quantity at the price now.
        market: the symbol's rules; None: as the venue tells them.

    Raises:
        InputRefused: the name, the grid, the money, or another bot on the same account and symbol.
    """
    return add_bots(desk, (NewBot(name, config, market),), account=account)[0]


def add_bots(desk: Desk, bots: Iterable[NewBot], *, account: str) -> tuple[BotLine, ...]:
    """Add several bots, or none: every one is checked, and all the money is there, before the first is added.

    Raises:
        InputRefused: as `add_bot`, about the first bot that cannot be added; the message begins with its name when
            there are several.
    """
    asked = tuple(bots)
    venue = desk.venue(account)
    plans = []
    for bot in asked:
        with _naming(bot, asked):
            plans.append(_check_bot(desk, venue, bot))
    balances = {asset: balance.total for asset, balance in venue.fetch_balances().items()}
    lines = []
    with desk.db.transaction("add-bot") as session:
        _open_wallet(session, desk, account, balances)
        for bot, plan in zip(asked, plans, strict=True):
            with _naming(bot, asked):
                lines.append(_add_row(session, desk, venue, bot.name, plan))
    return tuple(lines)


def ensure_default_bot(desk: Desk) -> BotLine:
    """Return the first bot; add the one that the settings describe when there is none yet."""
    bots = list_bots(desk)
    if bots:
        return bots[0]
    settings = desk.settings
    venue = desk.venue("paper")
    market = venue.fetch_market(settings.trading_symbol)
    price = venue.fetch_ticker(settings.trading_symbol).last
    config = GridConfig(
        symbol=settings.trading_symbol,
        lower=settings.grid_lower or market.floor_price(price * Decimal("0.8")),
        upper=settings.grid_upper or market.ceil_price(price * Decimal("1.2")),
        num_grids=settings.grid_num_grids, investment=settings.grid_investment, spacing=settings.grid_spacing,
        sizing=settings.grid_sizing, start=settings.grid_start,
    )  # fmt: skip
    name = settings.trading_symbol.lower().replace("/", "-")
    return add_bot(desk, name=name, account="paper", config=config, market=market)


def control_bot(desk: Desk, name: str | None, state: Control, *, reason: str) -> None:
    """Set what one bot, or all (None), may do from now on."""
    needs_reason(reason)
    with desk.db.transaction("control") as session:
        scope = GLOBAL if name is None else f"bot:{find_bot(session, name).name}"
        at = desk.runtime.wall.now()
        set_control(session, scope, state, actor=desk.actor, reason=reason, at=at)
        record_audit(session, desk, f"control.{state}", scope, {"reason": reason})


def needs_reason(reason: str) -> str:
    """Return the reason that the audit log keeps.

    Raises:
        InputRefused: there is none.
    """
    if not reason.strip():
        raise InputRefused("reason is empty.", field="reason", hint="Say why; the audit log keeps it.")
    return reason.strip()


def record_audit(session: Session, desk: Desk, action: str, subject: str, detail: Mapping[str, str]) -> None:
    """Write who did what into the audit chain, in the transaction of the deed."""
    at = desk.runtime.wall.now()
    append_audit(session, actor=desk.actor, action=action, subject=subject, detail=detail, at=at)


def _line(bot: BotRow) -> BotLine:
    return BotLine(bot.name, bot.symbol, bot.account, bot.mode)


@contextmanager
def _naming(bot: NewBot, asked: tuple[NewBot, ...]) -> Iterator[None]:
    """Begin a refusal with the bot that it is about, where there are several."""
    try:
        yield
    except InputRefused as refused:
        if len(asked) > 1:
            refused.message = f"{bot.name}: {refused.message}"
        raise


def _check_bot(desk: Desk, venue: Venue, bot: NewBot) -> GridPlan:
    """Check a bot's name, grid and symbol; nothing is written."""
    if not _NAME.fullmatch(bot.name):
        raise InputRefused(
            f"bot name {bot.name!r} cannot be used.", field="name", value=bot.name,
            hint="Use lower-case letters, digits and dashes.",
        )  # fmt: skip
    symbol = bot.config.symbol
    plan = plan_grid(bot.config, bot.market or venue.fetch_market(symbol), venue.fetch_ticker(symbol).last)
    with desk.db.reading() as session:
        strangers = unknown_orders(session, venue.fetch_open_orders(symbol))
    if strangers:
        raise InputRefused(refusal(symbol, strangers), field="symbol", value=symbol, hint=WAYS_OUT)
    return replace(plan, config=replace(bot.config, investment=plan.investment))


def _add_row(session: Session, desk: Desk, venue: Venue, name: str, plan: GridPlan) -> BotLine:
    _refuse_second(session, name, venue.account, plan.config.symbol)
    bot = _bot_row(desk, name=name, account=venue.account, plan=plan, venue=venue)
    session.add(bot)
    session.flush()
    fund(session, desk, bot, plan.market, quote=bot.investment, base=bot.entry_base)
    record_audit(session, desk, "bot.add", name, plan.config.record())
    return _line(bot)


def _refuse_second(session: Session, name: str, account: str, symbol: str) -> None:
    for bot in open_bots(session):
        if (bot.account, bot.symbol) == (account, symbol):
            raise InputRefused(
                f"{symbol} on {account} is traded by bot {bot.name!r} already.", field="symbol", value=symbol,
                hint="One bot an account and symbol: change or close that one.",
            )  # fmt: skip
    if has_bot(session, name):  # a closed one too: its name stands in the ledger
        raise InputRefused(f"There is a bot {name!r} already.", field="name", value=name, hint="Choose another.")


def _open_wallet(session: Session, desk: Desk, account: str, balances: Mapping[str, Decimal]) -> None:
    """Declare what the account held when we first saw it."""
    if was_opened(session, account):
        return
    at = desk.runtime.wall.now()
    for asset, amount in sorted(balances.items()):
        if not amount or balance_of(session, wallet_account(account), asset):
            continue
        session.add(ExternalMoveRow(account=account, asset=asset, amount=amount, kind="opening",
                                    note="balance when first seen", at=at))  # fmt: skip
        entries = ((wallet_account(account), asset, amount), (f"external:{account}", asset, -amount))
        post(session, f"opening:{account}:{asset}", entries, at=at)


def _bot_row(desk: Desk, *, name: str, account: str, plan: GridPlan, venue: Venue) -> BotRow:
    fresh = BotState()
    return BotRow(
        name=name, incarnation="".join(desk.runtime.random.choice(_LETTERS) for _ in range(6)), account=account,
        symbol=plan.config.symbol, mode=venue.mode, strategy="grid", config=plan.config.record(), config_version=1,
        market=market_record(plan.market), investment=plan.investment, entry_base=plan.config.holdings,
        entry_cost=fresh.entry_cost, phase=fresh.phase.value, next_seq=fresh.next_seq, realised=fresh.realised,
        cycles=0, taken_out=Decimal(0), third_fees=Decimal(0), note="", market_label=venue.market_label,
        created_at=desk.runtime.wall.now(),
    )  # fmt: skip


def fund(session: Session, desk: Desk, bot: BotRow, market: Market, *, quote: Decimal, base: Decimal) -> None:
    """Move money from the wallet to a bot; below zero, back.

    Raises:
        InputRefused: the wallet has less.
    """
    wallet, at = wallet_account(bot.account), desk.runtime.wall.now()
    for asset, amount, field in ((market.quote, quote, "investment"), (market.base, base, "holdings")):
        free = balance_of(session, wallet, asset)
        if amount > free:
            raise InputRefused(
                f"{bot.account} has {free:f} {asset} that no bot owns; {bot.name} needs {amount:f}.",
                field=field, value=amount, hint=f"Use at most {free:f}, or deposit more.",
            )  # fmt: skip
        entries = ((wallet, asset, -amount), (bot_account(bot), asset, amount))
        post(session, f"fund:{bot.name}:{bot.config_version}:{asset}", entries, at=at)
