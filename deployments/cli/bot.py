"""`cryptotrader bot`: the bots there are."""

from __future__ import annotations

from dataclasses import asdict

import typer

from deployments.cli.output import AsJson, screen, write_json

bot_app = typer.Typer(help="The bots.")


@bot_app.callback()
def bot() -> None:
    """The bots."""


@bot_app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the bots that are not closed, oldest first."""
    from cryptotrader.execution.commands import list_bots
    from deployments.cli.ready import open_ready_desk

    with open_ready_desk() as desk:
        bots = list_bots(desk)
    if as_json:
        write_json([asdict(line) for line in bots])
        return
    from rich.table import Table

    table = Table("bot", "symbol", "account", "money")
    for line in bots:
        table.add_row(f"[bold]{line.name}[/]", line.symbol, line.account, line.mode)
    screen().print(table if bots else "No bot yet: `cryptotrader init` makes the first.")
