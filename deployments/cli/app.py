"""The commands by name."""

from __future__ import annotations

from typing import Annotated

import typer

from cryptotrader import __version__
from deployments.cli import (  # noqa: F401 - each joins its group
    bot_add,
    bot_change,
    bot_close,
    ledger_declare,
    orders_adopt,
    orders_cancel_foreign,
    orders_resolve,
)
from deployments.cli.bot import bot_app
from deployments.cli.db import db_app
from deployments.cli.doctor import doctor
from deployments.cli.grid import grid
from deployments.cli.init import init
from deployments.cli.orders import orders_app
from deployments.cli.pause import pause, resume
from deployments.cli.run import run
from deployments.cli.status import status
from deployments.cli.stop import stop
from deployments.cli.trades import trades
from deployments.cli.up import up
from deployments.cli.verify import audit_app, ledger_app

app = typer.Typer(name="cryptotrader", pretty_exceptions_enable=False, rich_markup_mode="rich")

BEGIN, LOOK, ACT = "Begin", "Look", "Act"

for command, panel in (
    (init, BEGIN), (up, BEGIN), (grid, BEGIN), (run, BEGIN),
    (status, LOOK), (trades, LOOK), (doctor, LOOK),
    (stop, ACT), (pause, ACT), (resume, ACT),
):  # fmt: skip
    app.command(rich_help_panel=panel)(command)
app.add_typer(orders_app, name="orders", rich_help_panel=LOOK)
app.add_typer(bot_app, name="bot", rich_help_panel=ACT)
app.add_typer(db_app, name="db", rich_help_panel=ACT)
app.add_typer(ledger_app, name="ledger", rich_help_panel=LOOK)
app.add_typer(audit_app, name="audit", rich_help_panel=LOOK)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cryptotrader {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - acts in its callback
        bool, typer.Option("--version", help="Show the version and leave.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Grid trading that you run yourself: it buys a little lower, sells a little higher, and adds up."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
