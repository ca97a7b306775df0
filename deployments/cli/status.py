"""`cryptotrader status`: bots, their orders, the three profit numbers, and what runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from deployments.cli.figures import for_people, moment_or_none, money_or_none, signed
from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from cryptotrader.settings import Settings
    from cryptotrader.store.read import BotStatus
    from deployments.cli.running import RunningProcess

PROFITS = ("grid_profit", "inventory_pnl", "total_pnl", "hold_pnl", "equity")


def status(as_json: AsJson = False) -> None:
    """Show what every bot does and how it stands, and which processes run."""
    from cryptotrader.settings import load_settings
    from cryptotrader.store.bots import open_bots
    from cryptotrader.store.read import bot_status
    from deployments.cli.ready import open_ready_desk
    from deployments.cli.running import running_processes

    settings = load_settings()
    with open_ready_desk(settings) as desk, desk.db.reading() as session:
        bots = [bot_status(session, bot.name) for bot in open_bots(session)]
        now = desk.runtime.wall.now()
    processes = running_processes(settings)
    if as_json:
        write_json(_document(settings, bots, processes, now))
        return
    console = screen()
    for bot in bots:
        _draw(console, bot, now)
    console.print(_processes_line(processes), soft_wrap=True)


def _document(
    settings: Settings, bots: list[BotStatus], processes: tuple[RunningProcess, ...], now: datetime
) -> dict[str, object]:
    return {
        "mode": bots[0].mode if bots else "paper",
        "market": settings.trading_market.value,
        "bots": [bot_document(bot, now) for bot in bots],
        "processes": [{"name": p.name, "healthy": p.is_healthy, "url": p.url} for p in processes],
    }


def bot_document(bot: BotStatus, now: datetime) -> dict[str, object]:
    """Return a bot's status as programs read it; prices and profit are null before its first pass."""
    is_held = bot.lease_expires_at is not None and bot.lease_expires_at > now
    expires_at = bot.lease_expires_at if is_held else None
    return {
        "name": bot.name,
        "symbol": bot.symbol,
        "state": bot.phase,
        "control": bot.control.value,
        "lease": {"holder": bot.lease_holder if is_held else None, "expires_at": moment_or_none(expires_at)},
        "last_pass_at": moment_or_none(bot.last_pass_at),
        "price": money_or_none(bot.price),
        "open_orders": bot.open_orders,
        "unknown_orders": bot.unknown_orders,
        "fills": bot.fills,
        "cycles": bot.cycles,
        **{name: money_or_none(bot.profit and getattr(bot.profit, name)) for name in PROFITS},
        "empty_levels": [{"cell": line.cell, "reason": line.reason} for line in bot.idle],
    }


def _draw(console: Console, bot: BotStatus, now: datetime) -> None:
    from rich.markup import escape

    console.print(f"[bold]{bot.name}[/]  {bot.symbol} on {bot.account}, {bot.phase}, {bot.control.value}")
    if bot.market_label:
        console.print(f"  market   [yellow]{escape(bot.market_label)}[/]", soft_wrap=True)
    if bot.price is None or bot.profit is None or bot.last_pass_at is None:
        console.print("  waiting for its first pass")
        return
    profit, age = bot.profit, int((now - bot.last_pass_at).total_seconds())
    console.print(f"  price    {for_people(bot.price)}, at the last pass {age} s ago")
    console.print(f"  equity   {for_people(profit.equity)}")
    console.print(
        f"  profit   {signed(profit.total_pnl)} = grid {signed(profit.grid_profit)} + inventory "
        f"{signed(profit.inventory_pnl)}; holding would be {signed(profit.hold_pnl)}", soft_wrap=True,
    )  # fmt: skip
    console.print(
        f"  orders   {bot.open_orders} open, {bot.unknown_orders} unknown; {bot.fills} fills, {bot.cycles} round trips"
    )
    if bot.note:
        console.print(f"  note     {escape(bot.note)}", soft_wrap=True)
    for line in bot.idle:
        console.print(f"  cell {line.cell:<3} {escape(line.reason)}", soft_wrap=True)


def _processes_line(processes: tuple[RunningProcess, ...]) -> str:
    if not processes:
        return "Nothing runs: `cryptotrader up` starts everything."
    words = (f"{p.name} {'[green]runs[/]' if p.is_healthy else '[red]does not answer[/]'}" for p in processes)
    return f"Processes: {', '.join(words)}"
