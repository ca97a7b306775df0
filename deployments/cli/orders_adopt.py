"""`cryptotrader orders adopt`: take open orders of a bot that its rows lack back into the books."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli.orders import orders_app
from deployments.cli.output import AsJson, screen, write_json


@orders_app.command("adopt")
def adopt(
    ids: Annotated[list[str], typer.Argument(metavar="ID..", help="The orders' client ids.")],
    reason: Annotated[str, typer.Option(help="Why they are missing; the audit log keeps it.")],
    bot: Annotated[str | None, typer.Option(help="Which bot; left out: the only one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Adopt open orders with a bot's own prefix that fit its grid, as after restoring a backup."""
    from cryptotrader.execution.foreign import adopt_foreign
    from deployments.cli.ready import chosen_bots, open_ready_desk

    with open_ready_desk() as desk:
        (name,) = chosen_bots(desk, bot, everything=False) or ("",)
        adopted = adopt_foreign(desk, name, ids, reason=reason)
    if as_json:
        write_json({"bot": name, "adopted": list(adopted)})
    else:
        screen().print(f"{name} has adopted {', '.join(adopted)}.", soft_wrap=True)
