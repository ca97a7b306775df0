"""`cryptotrader orders cancel-foreign`: cancel open orders that look like ours and that the database does not know."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli.orders import orders_app
from deployments.cli.output import AsJson, screen, write_json


@orders_app.command("cancel-foreign")
def cancel_unknown(
    reason: Annotated[str, typer.Option(help="Why; the audit log keeps it.")],
    symbol: Annotated[str | None, typer.Option(help="Base and quote; left out: TRADING_SYMBOL.")] = None,
    account: Annotated[str, typer.Option(help="Where they rest.")] = "paper",
    as_json: AsJson = False,
) -> None:
    """Cancel the open orders of an unknown bot: while they rest, their symbol is not traded."""
    from cryptotrader.execution.foreign import cancel_foreign
    from deployments.cli.ready import open_ready_desk

    with open_ready_desk() as desk:
        symbol = symbol or desk.settings.trading_symbol
        report = cancel_foreign(desk, symbol, account, reason=reason)
    cancelled, left = ([order.client_order_id for order in orders] for orders in (report.cancelled, report.left))
    if as_json:
        write_json({"symbol": symbol, "cancelled": cancelled, "left": left})
    else:
        screen().print(
            f"Cancelled: {', '.join(cancelled) or 'none'}. Left: {', '.join(left) or 'none'}.", soft_wrap=True
        )
    if left:
        raise typer.Exit(1)
