"""`cryptotrader stop`: no new orders from now on, resting ones cancelled, and the proof that none is left."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.figures import money
from deployments.cli.output import AsJson, note, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.execution.stop import StopReport


class RestingOrders(StrEnum):
    """What happens to orders that rest."""

    CANCEL = "cancel"
    KEEP = "keep"


def stop(
    reason: Annotated[str, typer.Option(help="Why; the audit log keeps it.")],
    bot: Annotated[str | None, typer.Option(help="Which bot; left out: the only one.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every bot, also those added later.")] = False,
    orders: Annotated[RestingOrders, typer.Option(help="What happens to resting orders.")] = RestingOrders.CANCEL,
    sell: Annotated[bool, typer.Option("--sell", help="Then sell what the bots own, at market.")] = False,
    as_json: AsJson = False,
) -> None:
    """Halt bots: nothing new is placed, resting orders are cancelled, and it is proven that none is left."""
    from cryptotrader.execution.stop import stop_bots
    from deployments.cli.ready import chosen_bots, open_ready_desk

    with open_ready_desk() as desk:
        report = stop_bots(
            desk, chosen_bots(desk, bot, everything=everything), reason=reason,
            cancel_orders=orders is RestingOrders.CANCEL, sell=sell, on_progress=note,
        )  # fmt: skip
    if as_json:
        write_json(_document(report))
    else:
        screen().print(report.report, soft_wrap=True)
    if orders is RestingOrders.CANCEL and report.open_orders:
        raise typer.Exit(1)


def _document(report: StopReport) -> dict[str, object]:
    return {
        "state": report.state,
        "cancelled": report.cancelled,
        "open_orders": report.open_orders,
        "reads": report.reads,
        "sold": money(report.sold),
        "seconds": money(report.seconds),
        "report": report.report,
    }
