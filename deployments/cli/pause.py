"""`cryptotrader pause` and `cryptotrader resume`: what bots may do from the next pass on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cryptotrader.errors import InputRefused
from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.core.reconcile import Control
    from cryptotrader.execution.desk import Desk

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
    """Let bots and their parked cells trade again. What was set with --all is lifted with --all."""
    from cryptotrader.core.reconcile import Control

    _set(Control.ACTIVE, bot, everything=everything, reason=reason, as_json=as_json)


def _set(state: Control, bot: str | None, *, everything: bool, reason: str, as_json: bool) -> None:
    """Write the control row, and show what it makes of every bot: the strictest of its rows rules."""
    from cryptotrader.execution.commands import control_bot
    from deployments.cli.ready import chosen_bots, open_ready_desk

    with open_ready_desk() as desk:
        names = chosen_bots(desk, bot, everything=everything)
        _refuse_loosening(_controls(desk), names, state)
        for name in names or (None,):
            control_bot(desk, name, state, reason=reason)
        now = _controls(desk)
        resumed = _resume_cells(desk, names or tuple(now), reason) if state == "active" else {}
    if as_json:
        write_json({"bots": [{"name": name, "control": control, "resumed_cells": list(resumed.get(name, ()))}
                             for name, control in now.items()]})  # fmt: skip
        return
    for name, cells in resumed.items():
        if cells:
            screen().print(f"[bold]{name}[/]: cells {', '.join(map(str, cells))} trade again.", soft_wrap=True)
    for name, control in now.items() or {"no bot yet": state.value}.items():
        screen().print(f"[bold]{name}[/] is {control}: {MEANING[control]}.", soft_wrap=True)


def _resume_cells(desk: Desk, names: tuple[str, ...], reason: str) -> dict[str, tuple[int, ...]]:
    """Bring the parked cells of these bots back, and return them."""
    from cryptotrader.execution.parking import resume_cells

    return {name: resume_cells(desk, name, reason=reason) for name in names}


def _controls(desk: Desk) -> dict[str, str]:
    """Return what each bot may do now."""
    from cryptotrader.execution.commands import list_bots
    from cryptotrader.store.read import bot_status

    bots = list_bots(desk)
    with desk.db.reading() as session:
        return {bot.name: bot_status(session, bot.name).control.value for bot in bots}


def _refuse_loosening(now: dict[str, str], names: tuple[str, ...] | None, state: Control) -> None:
    """Refuse a pause that would let a stopped bot sell again: only `resume` loosens."""
    for name, control in now.items():
        if state == "reducing" and control == "halted" and (names is None or name in names):
            raise InputRefused(
                f"{name} is halted, which is stricter than paused.", field="bot", value=name,
                hint="Use `resume` first, then `pause`.",
            )  # fmt: skip
