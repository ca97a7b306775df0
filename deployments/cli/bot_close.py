"""`cryptotrader bot close`: end a bot for good, and state how it ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.bot import bot_app
from deployments.cli.figures import amounts, moment, money, signed
from deployments.cli.output import AsJson, note, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.execution.close import Statement


@bot_app.command("close")
def close(
    name: Annotated[str, typer.Argument(help="Which bot.")],
    reason: Annotated[str, typer.Option(help="Why; the audit log keeps it.")],
    sell: Annotated[bool, typer.Option("--sell", help="First sell what it owns, at market.")] = False,
    as_json: AsJson = False,
) -> None:
    """Halt a bot, cancel its orders with proof, hand its money to the wallet, and write that it is closed."""
    from cryptotrader.execution.close import close_bot
    from deployments.cli.ready import open_ready_desk

    with open_ready_desk() as desk:
        statement = close_bot(desk, name, sell=sell, reason=reason, on_progress=note)
    if as_json:
        write_json(_document(statement))
    else:
        _draw(statement)


def _document(end: Statement) -> dict[str, object]:
    return {
        "bot": end.bot,
        "symbol": end.symbol,
        "account": end.account,
        "opened_at": moment(end.opened_at),
        "closed_at": moment(end.closed_at),
        "investment": money(end.investment),
        "price": money(end.price),
        "fills": end.fills,
        "cycles": end.cycles,
        **{field: money(value) for field, value in asdict(end.profit).items()},
        "fees": amounts(end.fees),
        "holdings": amounts(end.holdings),
        "sold": money(end.sold),
    }


def _draw(end: Statement) -> None:
    profit = end.profit
    lines = (
        f"[bold]{end.bot}[/] is closed. It traded {end.symbol} from {end.opened_at:%Y-%m-%d %H:%M} to "
        f"{end.closed_at:%Y-%m-%d %H:%M} UTC: {end.fills} fills, {end.cycles} round trips.",
        f"  profit   {signed(profit.total_pnl)} = grid {signed(profit.grid_profit)} + inventory "
        f"{signed(profit.inventory_pnl)}, at {money(end.price)}; holding would be {signed(profit.hold_pnl)}",
        f"  fees     {_listed(amounts(end.fees))}",
        f"  wallet   {_listed(amounts(end.holdings))}",
    )
    for line in lines:
        screen().print(line, soft_wrap=True)


def _listed(by_asset: dict[str, str]) -> str:
    return ", ".join(f"{amount} {asset}" for asset, amount in by_asset.items()) or "nothing"
