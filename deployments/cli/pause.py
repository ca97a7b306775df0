"""`cryptotrader pause` and `cryptotrader resume`: what bots may do from the next pass on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.core.reconcile import Control

Bot = Annotated[str | None, typer.Option("--bot", help="Which bot; left out: the only one.")]
Everything = Annotated[bool, typer.Option("--all", help="Every bot, also those added later.")]

MEANING = {
    "active": "buys and sells",
    "reducing": "no buys: resting buys are cancelled with the next pass, sells go on",
    "halted": "places nothing; resting orders stay",
}


def pause(
    bot: Bot = None,
    everything: Everything = False,
    all_orders: Annotated[bool, typer.Option("--all-orders", help="Place no sells either.")] = False,
    reason: Annotated[str, typer.Option(help="Why; the audit log keeps it.")] = "paused at the command line",
    as_json: AsJson = False,
) -> None:
    """Stop buying: resting buys are cancelled, sells go on. With --all-orders nothing at all is placed."""
    from cryptotrader.core.reconcile import Control

    state = Control.HALTED if all_orders else Control.REDUCING
    _set(state, bot, everything=everything, reason=reason, as_json=as_json)


def resume(
    reason: Annotated[str, typer.Option(help="Why it is safe again; the audit log keeps it.")],
    bot: Bot = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Let bots trade again after `pause` or `stop`. What was set with --all is lifted with --all."""
    from cryptotrader.core.reconcile import Control

    _set(Control.ACTIVE, bot, everything=everything, reason=reason, as_json=as_json)


def _set(state: Control, bot: str | None, *, everything: bool, reason: str, as_json: bool) -> None:
    """Write the control row, and show what it makes of every bot: the strictest of its rows rules."""
    from cryptotrader.execution.commands import control_bot
    from cryptotrader.store.bots import open_bots
    from cryptotrader.store.control import load_control
    from deployments.cli.ready import chosen_bots, open_ready_desk

    with open_ready_desk() as desk:
        for name in chosen_bots(desk, bot, everything=everything) or (None,):
            control_bot(desk, name, state, reason=reason)
        with desk.db.reading() as session:
            now = {row.name: load_control(session, row).value for row in open_bots(session)}
    if as_json:
        write_json({"bots": [{"name": name, "control": control} for name, control in now.items()]})
        return
    for name, control in now.items():
        screen().print(f"[bold]{name}[/] is {control}: {MEANING[control]}.", soft_wrap=True)
