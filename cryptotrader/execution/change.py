"""Change a bot's grid while it trades: lots and history stay, orders that no longer fit go, cells are laid out anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from cryptotrader.core.cells import BotState, CellStatus, Phase
from cryptotrader.core.grid.config import GridConfig
from cryptotrader.core.grid.plan import plan_grid
from cryptotrader.core.grid.remap import sale_losses
from cryptotrader.core.grid.strategy import Grid
from cryptotrader.core.lots import take, total_base, total_cost
from cryptotrader.core.market import Market, Side
from cryptotrader.core.orders import Ticker
from cryptotrader.core.reconcile import Control, LiveOrder, Plan, Step, buy_cost, reconcile
from cryptotrader.core.strategy import Facts, Wanted
from cryptotrader.errors import InputRefused
from cryptotrader.execution.cancel import cancel
from cryptotrader.execution.commands import fund, needs_reason, record_audit
from cryptotrader.execution.desk import Desk
from cryptotrader.execution.hold import find_open_bot, holding, keep_lease, see
from cryptotrader.execution.job import Job, open_job
from cryptotrader.execution.trading_pass import catch_up
from cryptotrader.store.books import balance_of, bot_account, wallet_account
from cryptotrader.store.bots import get_bot, load_state, read_market, replace_cells
from cryptotrader.store.database import Session
from cryptotrader.store.intents import KNOWN_OPEN, as_live, live_intents, move_intent
from cryptotrader.store.schema import BotRow, IntentRow, IntentState

MAX_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class CellMove:
    """What a cell owns before and after: base, and what it cost in quote. A cell that is not there owns nothing."""

    cell: int
    base_before: Decimal
    base_after: Decimal
    cost_before: Decimal
    cost_after: Decimal


@dataclass(frozen=True, slots=True)
class ChangePreview:
    """What a change does, at one price. Money in quote.

    Attributes:
        cancel: orders that no longer fit, with the reason. `kept` orders stay as they are.
        place: orders that the next pass places. `wait`: those that it cannot place, with the reason.
        moves: cells whose lots change.
        unheld_base, unheld_cost: inventory that no cell of the new grid sells; only an exit does.
        loss: what the new cells' sells would realise as losses, each at its level, against what their lots cost.
        quote_needed: what the new grid's buys lock, fees included; `quote_owned`: what the bot then has.
    """

    bot: str
    price: Decimal
    cancel: tuple[tuple[LiveOrder, str], ...]
    place: tuple[Wanted, ...]
    wait: tuple[Step, ...]
    kept: int
    moves: tuple[CellMove, ...]
    unheld_base: Decimal
    unheld_cost: Decimal
    loss: Decimal
    investment_before: Decimal
    investment_after: Decimal
    quote_needed: Decimal
    quote_owned: Decimal

    @property
    def capital_need(self) -> Decimal:
        """Return the quote that the wallet gives; below zero, what it gets back."""
        return self.investment_after - self.investment_before

    @property
    def quote_lacking(self) -> Decimal:
        """Return what the bot lacks for all buys of the new grid: some of them wait until sells bring it."""
        return max(Decimal(0), self.quote_needed - self.quote_owned)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A change worked out: what people see of it, and what is written."""

    preview: ChangePreview
    config: GridConfig
    state: BotState
    unsettled: tuple[IntentRow, ...]


def preview_change(desk: Desk, bot: str, new_config: GridConfig) -> ChangePreview:
    """Return what `apply_change` would do at the price now; nothing is changed.

    Raises:
        InputRefused: an unknown or closed bot, another symbol or holdings, a grid that cannot trade, a phase in which
            cells cannot move, or money that is not there.
    """
    with desk.db.reading() as session:
        account = find_open_bot(session, bot).account
    job = open_job(desk.db, desk.venue(account), desk.runtime, bot)
    ticker = see(job)
    with desk.db.reading() as session:
        return _draft(session, job, new_config, ticker).preview


def apply_change(desk: Desk, bot: str, new_config: GridConfig, *, reason: str) -> ChangePreview:
    """Cancel what no longer fits, then move the lots and write the new grid in one transaction; a pass places it.

    Ended in between, the old grid stays, and the next pass places again what was cancelled.

    Returns:
        The change as it was applied: the price and the fills of the meantime included.

    Raises:
        InputRefused: as `preview_change`, or an order whose outcome is not known yet.
        LeaseHeld: another process kept the bot for longer than a lease lasts.
    """
    reason = needs_reason(reason)
    before = preview_change(desk, bot, new_config)
    with holding(desk, bot) as job:
        ticker = _clear(job, new_config)
        with desk.db.transaction("change") as session:
            keep_lease(session, job)
            draft = _draft(session, job, new_config, ticker)
            _refuse_unsettled(job, draft)
            _write(session, desk, job, draft, reason)
    return replace(draft.preview, cancel=before.cancel)


def _clear(job: Job, new_config: GridConfig) -> Ticker:
    """Cancel the orders that do not fit the new grid, through the protocol; return the price that it is laid out at."""
    ticker = see(job)
    for _ in range(MAX_ROUNDS):
        _, _, again = catch_up(job)
        with job.db.transaction("hold") as session:
            keep_lease(session, job)
            draft = _draft(session, job, new_config, ticker)
        for order, _reason in draft.preview.cancel:
            cancel(job, order.client_order_id)
            again = True
        if not again:
            break
    return ticker


def _refuse_unsettled(job: Job, draft: _Draft) -> None:
    orders = [intent for intent in draft.unsettled if intent.state != IntentState.PENDING]
    names = [f"{i.client_order_id} is {i.state}" for i in orders]
    names += [f"{order.client_order_id} is open" for order, _ in draft.preview.cancel]
    if names:
        raise InputRefused(
            f"{job.name} was not changed: {', '.join(names)}.", field="bot", value=job.name,
            hint="Try again when passes have settled it; a quarantined one needs `orders resolve`.",
        )  # fmt: skip


def _write(session: Session, desk: Desk, job: Job, draft: _Draft, reason: str) -> None:
    bot = get_bot(session, job.bot_id)
    for intent in draft.unsettled:  # never sent, and wanted no more
        move_intent(session.get_one(IntentRow, intent.client_order_id), IntentState.VOID, now=job.now)
    bot.config, bot.config_version = draft.config.record(), bot.config_version + 1
    base = Decimal(0)
    if draft.state.phase is Phase.NEW:
        base, bot.entry_base = draft.config.holdings - bot.entry_base, draft.config.holdings
    else:
        replace_cells(session, bot, draft.state)
    fund(session, desk, bot, job.market, quote=draft.preview.capital_need, base=base)
    bot.investment = draft.preview.investment_after
    detail = {**bot.config, "config_version": str(bot.config_version), "reason": reason}
    record_audit(session, desk, "bot.change", bot.name, detail)


# ---- working it out --------------------------------------------------------------------------------------------


def _draft(session: Session, job: Job, asked: GridConfig, ticker: Ticker) -> _Draft:
    """Work a change out from what the database knows now."""
    bot = get_bot(session, job.bot_id)
    before, intents = load_state(session, bot), live_intents(session, bot.id)
    market = read_market(bot.market)
    _refuse_phase(bot, before, asked)
    plan = plan_grid(asked, market, ticker.last)
    config = replace(asked, investment=plan.investment)
    if before.phase is not Phase.NEW:
        config = replace(config, laid_out_at=ticker.last)
    grid = Grid(config, market)
    after = before if before.phase is Phase.NEW else grid.take_over(before)
    wanted = () if before.phase is Phase.NEW else _wanted(grid, after, ticker)
    owned = balance_of(session, bot_account(bot), market.quote) + plan.investment - bot.investment
    settled = [as_live(i) for i in intents if i.state in KNOWN_OPEN]
    steps, kept = _compare(wanted, settled, market, owned)
    unheld_base, unheld_cost = _unheld(after)
    preview = ChangePreview(
        bot=bot.name, price=ticker.last, cancel=steps.cancel, place=steps.place, wait=steps.wait, kept=kept,
        moves=_moves(before, after), unheld_base=unheld_base, unheld_cost=unheld_cost,
        loss=sale_losses(plan, after), investment_before=bot.investment, investment_after=plan.investment,
        quote_needed=sum((buy_cost(market, w.price, w.quantity) for w in wanted if w.side is Side.BUY), Decimal(0)),
        quote_owned=owned,
    )  # fmt: skip
    _refuse_money(session, bot, market, preview)
    return _Draft(preview, config, after, tuple(i for i in intents if i.state not in KNOWN_OPEN))


def _refuse_phase(bot: BotRow, state: BotState, asked: GridConfig) -> None:
    if asked.symbol != bot.symbol:
        raise InputRefused(f"{bot.name} trades {bot.symbol}.", field="symbol", value=asked.symbol,
                           hint="Close it and add another bot for another symbol.")  # fmt: skip
    if state.phase not in (Phase.NEW, Phase.RUNNING):
        raise InputRefused(f"{bot.name} is {state.phase}: its cells cannot be moved now.", field="bot", value=bot.name,
                           hint="Change it while it runs, or close it.")  # fmt: skip
    if state.phase is Phase.RUNNING and asked.holdings != bot.entry_base:
        raise InputRefused(
            f"holdings {asked.holdings:f} cannot replace {bot.entry_base:f}: {bot.name} has started.",
            field="holdings", value=asked.holdings, hint="They are given at the start only.",
        )  # fmt: skip


def _refuse_money(session: Session, bot: BotRow, market: Market, preview: ChangePreview) -> None:
    """Refuse to take more than the wallet has, and to give back what the new grid needs."""
    free = balance_of(session, wallet_account(bot.account), market.quote)
    if preview.capital_need > free:
        raise InputRefused(
            f"{bot.account} has {free:f} {market.quote} that no bot owns; {bot.name} needs {preview.capital_need:f} "
            f"more.", field="investment", value=preview.investment_after,
            hint=f"Use at most {preview.investment_before + free:f}, or deposit more.",
        )  # fmt: skip
    if preview.capital_need < 0 and preview.quote_lacking:
        raise InputRefused(
            f"{bot.name} would be left with {preview.quote_owned:f} {market.quote}; the buys of the new grid need "
            f"{preview.quote_needed:f}.", field="investment", value=preview.investment_after,
            hint="Lower it less: the rest is in base, which only sells turn into quote.",
        )  # fmt: skip


def _wanted(grid: Grid, state: BotState, ticker: Ticker) -> tuple[Wanted, ...]:
    desired = grid.desired(state, Facts(ticker.last, ticker.bid, ticker.ask))
    if desired.state.phase is not Phase.RUNNING:
        raise InputRefused(
            f"the price {ticker.last:f} is beyond the new stop-loss or take-profit: the bot would end at once.",
            field="stop_loss_price", hint="Use `bot close --sell` to end it.",
        )  # fmt: skip
    return desired.wanted


def _compare(wanted: tuple[Wanted, ...], live: list[LiveOrder], market: Market, quote: Decimal) -> tuple[Plan, int]:
    """Return what is cancelled, and what is then placed or waits; and how many orders stay."""
    cancelled = reconcile(wanted, live, market=market, control=Control.ACTIVE, quote=quote).cancel
    gone = {order.slot for order, _ in cancelled}
    kept = [order for order in live if order.slot not in gone]
    after = reconcile(wanted, kept, market=market, control=Control.ACTIVE, quote=quote)
    return Plan(cancel=cancelled, place=after.place, wait=after.wait), len(kept)


def _moves(before: BotState, after: BotState) -> tuple[CellMove, ...]:
    old = {cell.index: cell.lots for cell in before.cells}
    new = {cell.index: cell.lots for cell in after.cells}
    rows = ((i, old.get(i, ()), new.get(i, ())) for i in sorted(old.keys() | new.keys()))
    moves = (CellMove(i, total_base(a), total_base(b), total_cost(a), total_cost(b)) for i, a, b in rows)
    return tuple(m for m in moves if (m.base_before, m.cost_before) != (m.base_after, m.cost_after))


def _unheld(state: BotState) -> tuple[Decimal, Decimal]:
    """Return the base and the cost of what lies beyond the quantities of the held cells."""
    base, cost = state.base, state.inventory_cost
    for cell in state.cells:
        if cell.status is CellStatus.HELD:
            sold, _ = take(cell.lots, min(cell.quantity, cell.pool))
            base, cost = base - total_base(sold), cost - total_cost(sold)
    return base, cost
