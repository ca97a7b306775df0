"""`cryptotrader orders resolve`: say how an order ended that was put aside for a person."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from deployments.cli.orders import orders_app
from deployments.cli.output import AsJson, screen, write_json


class End(StrEnum):
    """How an order can have ended."""

    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    VOID = "void"


@orders_app.command("resolve")
def resolve(
    order_id: Annotated[str, typer.Argument(metavar="ID", help="The order's client id, as `orders` shows it.")],
    end: Annotated[End, typer.Option("--as", help="How it ended.")],
    reason: Annotated[str, typer.Option(help="How you know; the audit log keeps it.")],
    as_json: AsJson = False,
) -> None:
    """Resolve a quarantined order; its cell trades again with the next pass."""
    from cryptotrader.execution.resolve_order import resolve_order
    from cryptotrader.store.schema import IntentState
    from deployments.cli.ready import open_ready_desk

    with open_ready_desk() as desk:
        resolve_order(desk, order_id, state=IntentState(end), reason=reason)
    if as_json:
        write_json({"id": order_id, "state": end.value})
    else:
        screen().print(f"{order_id} is {end.value}.", soft_wrap=True)
