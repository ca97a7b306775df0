"""`cryptotrader ledger declare`: tell the ledger of a deposit or withdrawal at the exchange."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli.figures import money
from deployments.cli.grid_flags import read_number
from deployments.cli.output import AsJson, screen, write_json
from deployments.cli.verify import ledger_app


@ledger_app.command("declare")
def declare(
    asset: Annotated[str, typer.Option(help="As the exchange writes it: USDT.")],
    amount: Annotated[str, typer.Option(metavar="NUMBER", help="Above 0 for a deposit, below for a withdrawal.")],
    note: Annotated[str, typer.Option(help="What it was; the audit log keeps it.")],
    account: Annotated[str, typer.Option(help="Where it happened.")] = "paper",
    as_json: AsJson = False,
) -> None:
    """Declare money that came or went at the exchange, so that the ledger explains the balance. Nothing is sent."""
    from cryptotrader.execution.declare import declare_move
    from deployments.cli.ready import open_ready_desk

    number = read_number(amount, field="amount")
    with open_ready_desk() as desk:
        wallet = declare_move(desk, account, asset, number, note=note)
    if as_json:
        write_json({"account": account, "asset": asset, "amount": money(number), "wallet": money(wallet)})
    else:
        screen().print(f"{account}: {money(wallet)} {asset} belong to no bot now.", soft_wrap=True)
