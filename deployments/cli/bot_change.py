"""`cryptotrader bot change`: another grid for a bot that trades; flags that are left out stay as they are."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from cryptotrader.core.grid.config import GridConfig, read_config
from cryptotrader.errors import InputRefused
from deployments.cli.bot import bot_app
from deployments.cli.bot_add import refuse_market_units
from deployments.cli.figures import for_people, money
from deployments.cli.grid_flags import GridFlags, takes_grid_flags
from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from decimal import Decimal

    from cryptotrader.core.reconcile import LiveOrder, Step
    from cryptotrader.core.strategy import Wanted
    from cryptotrader.execution.change import ChangePreview
    from cryptotrader.execution.desk import Desk

FIELDS = {
    "symbol": "symbol", "lower": "lower", "upper": "upper", "grids": "num_grids", "spacing": "spacing",
    "investment": "investment", "quantity": "quantity", "sizing": "sizing", "start": "start", "holdings": "holdings",
    "reserve": "reserve", "slippage": "slippage", "compound": "compound", "trigger": "trigger_price",
    "stop_loss": "stop_loss_price", "take_profit": "take_profit_price",
}  # fmt: skip
"""The fields of a grid by the name of their flag."""


@bot_app.command("change")
@takes_grid_flags
def change(
    grid: GridFlags,
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Which bot.")],
    preview: Annotated[bool, typer.Option("--preview", help="Show what would happen.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it.")] = False,
    reason: Annotated[str, typer.Option(help="Why; the audit log keeps it. Needed with --apply.")] = "",
    as_json: AsJson = False,
) -> None:
    """Change a bot's grid: lots and history stay, orders that no longer fit are cancelled, the next pass places."""
    from cryptotrader.execution.change import apply_change, preview_change
    from deployments.cli.ready import open_ready_desk

    if preview == apply:
        raise InputRefused("Say what to do.", field="preview", hint="Give --preview or --apply, one of them.")
    refuse_market_units(grid)
    given = frozenset(flag for flag in FIELDS if _is_given(context, flag))
    with open_ready_desk() as desk:
        asked = _asked(desk, name, grid, given)
        shown = apply_change(desk, name, asked, reason=reason) if apply else preview_change(desk, name, asked)
    if as_json:
        write_json(_document(shown, applied=apply))
    else:
        _draw(shown, applied=apply)


def _is_given(context: typer.Context, flag: str) -> bool:
    source = context.get_parameter_source(flag)
    return source is not None and source.name == "COMMANDLINE"


def _asked(desk: Desk, name: str, grid: GridFlags, given: frozenset[str]) -> GridConfig:
    """Return the bot's own grid with what the flags say instead."""
    from cryptotrader.store.bots import find_bot

    with desk.db.reading() as session:
        stored = read_config(find_bot(session, name).config)
    whole = replace(
        grid, lower=grid.lower or str(stored.lower), upper=grid.upper or str(stored.upper),
        grids=grid.grids or str(stored.num_grids),
    ).config()  # fmt: skip
    new = {FIELDS[flag]: getattr(whole, FIELDS[flag]) for flag in given}
    return replace(stored, laid_out_at=None, **new)


def _document(shown: ChangePreview, *, applied: bool) -> dict[str, object]:
    return {
        "bot": shown.bot,
        "applied": applied,
        "price": money(shown.price),
        "cancel": [
            {"id": order.client_order_id, **_order(order, order.remaining), "reason": reason}
            for order, reason in shown.cancel
        ],
        "place": [_order(want, want.quantity) for want in shown.place],
        "wait": [{**_order(step, step.quantity), "reason": step.reason} for step in shown.wait],
        "kept": shown.kept,
        "moves": [
            {field: value if field == "cell" else money(value) for field, value in asdict(move).items()}
            for move in shown.moves
        ],
        **{field: money(getattr(shown, field)) for field in MONEY},
    }  # fmt: skip


def _order(order: LiveOrder | Wanted | Step, quantity: Decimal) -> dict[str, object]:
    return {"cell": order.slot.cell, "side": order.side, "price": money(order.price), "quantity": money(quantity)}


MONEY = ("unheld_base", "unheld_cost", "loss", "investment_before", "investment_after", "capital_need",
         "quote_needed", "quote_owned", "quote_lacking")  # fmt: skip


def _draw(shown: ChangePreview, *, applied: bool) -> None:
    console = screen()
    verb = "was changed" if applied else "would change"
    console.print(f"[bold]{shown.bot}[/] {verb} at {money(shown.price)}: {shown.kept} orders stay.")
    for order, reason in shown.cancel:
        console.print(f"  cancel  {order.side:<4} {money(order.remaining)} at {money(order.price)}: {reason}")
    for want in shown.place:
        console.print(f"  place   {want.side:<4} {money(want.quantity)} at {money(want.price)}")
    for step in shown.wait:
        console.print(f"  wait    {step.side:<4} {money(step.quantity)} at {money(step.price)}: {step.reason}")
    for move in shown.moves:
        console.print(f"  cell {move.cell:<3} {money(move.base_before)} -> {money(move.base_after)} base, cost "
                      f"{for_people(move.cost_before)} -> {for_people(move.cost_after)}", soft_wrap=True)  # fmt: skip
    for line in _consequences(shown):
        console.print(line, soft_wrap=True)


def _consequences(shown: ChangePreview) -> list[str]:
    lines = []
    if shown.capital_need:
        where = "from the wallet" if shown.capital_need > 0 else "to the wallet"
        lines.append(f"  {money(abs(shown.capital_need))} go {where}.")
    if shown.unheld_base:
        lines.append(f"  {money(shown.unheld_base)} base, cost {for_people(shown.unheld_cost)}, no new cell sells: it "
                     f"is carried until the bot exits.")  # fmt: skip
    if shown.loss:
        lines.append(f"  [yellow]The new sells realise a loss of {for_people(shown.loss)} when they fill.[/]")
    if shown.quote_lacking:
        lines.append(f"  [yellow]{for_people(shown.quote_lacking)} quote are lacking for all buys: some wait.[/]")
    return lines
