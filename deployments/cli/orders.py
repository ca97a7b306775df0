"""`cryptotrader orders`: every order, from before it was sent until it is proven ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.figures import moment, money
from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.store.read import OrderLine


orders_app = typer.Typer(help="Every order; without a command: list them.", invoke_without_command=True)


@orders_app.callback()
def orders(
    context: typer.Context,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that rest or may rest.")] = False,
    bot: Annotated[str | None, typer.Option(help="Only those of this bot.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List orders, newest first."""
    if context.invoked_subcommand is not None:
        return
    from cryptotrader.store.bots import find_bot
    from cryptotrader.store.read import list_orders
    from deployments.cli.ready import open_ready_desk

    with open_ready_desk() as desk, desk.db.reading() as session:
        name = None if bot is None else find_bot(session, bot).name
        lines = list_orders(session, name, open_only=open_only, limit=limit)
    if as_json:
        write_json([_document(line) for line in lines])
        return
    _draw(lines)


def _document(line: OrderLine) -> dict[str, object]:
    return {
        "id": line.order_id,
        "bot": line.bot,
        "symbol": line.symbol,
        "side": line.side,
        "type": line.type,
        "price": money(line.price),
        "quantity": money(line.quantity),
        "filled": money(line.filled),
        "state": line.state,
        "purpose": line.purpose,
        "cell": line.cell,
        "created_at": moment(line.created_at),
    }


def _draw(lines: tuple[OrderLine, ...]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("bot", "cell", "side", "price", "quantity", "filled", "state", "id"):
        table.add_column(heading, justify="right" if heading in ("cell", "price", "quantity", "filled") else "left")
    for line in lines:
        colour = "green" if line.side == "buy" else "red"
        cell = str(line.cell) if line.purpose == "cell" else line.purpose
        table.add_row(line.bot, cell, f"[{colour}]{line.side}[/]", money(line.price), money(line.quantity),
                      money(line.filled), line.state, line.order_id)  # fmt: skip
    screen().print(table if lines else "No orders.")
