"""`cryptotrader bot add`: one bot from flags, or several from a file; all of them are checked before any is added."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cryptotrader.errors import InputRefused
from deployments.cli.bot import bot_app
from deployments.cli.grid_flags import GridFlags, takes_grid_flags
from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.execution.commands import NewBot


@bot_app.command("add")
@takes_grid_flags
def add(
    grid: GridFlags,
    name: Annotated[str | None, typer.Argument(help="Lower-case letters, digits and dashes.")] = None,
    file: Annotated[Path | None, typer.Option(help="A TOML file of bots, instead of flags.")] = None,
    account: Annotated[str, typer.Option(help="Where it trades.")] = "paper",
    as_json: AsJson = False,
) -> None:
    """Add a bot, or all bots of a file. They trade from the next pass on."""
    from cryptotrader.execution.commands import add_bots
    from deployments.cli.ready import open_ready_desk

    bots = _asked(grid, name, file)
    with open_ready_desk() as desk:
        lines = add_bots(desk, bots, account=account)
    if as_json:
        write_json([asdict(line) for line in lines])
        return
    for line in lines:
        screen().print(f"[bold]{line.name}[/] will trade {line.symbol} on {line.account}.", soft_wrap=True)


def _asked(grid: GridFlags, name: str | None, file: Path | None) -> tuple[NewBot, ...]:
    from cryptotrader.execution.bots_file import read_bots_file
    from cryptotrader.execution.commands import NewBot

    if file is not None:
        if name is not None or grid.names_a_grid:
            raise InputRefused(
                "--file says it all.", field="file", value=file, hint="Give a file, or a name and flags."
            )
        return read_bots_file(file)
    if name is None:
        raise InputRefused("name is missing.", field="name", hint="Give a name, or --file.")
    refuse_market_units(grid)
    return (NewBot(name, grid.config()),)


def refuse_market_units(grid: GridFlags) -> None:
    """Refuse flags that only a replay obeys: the venue has rules of its own."""
    if grid.names_market_units:
        raise InputRefused(
            "--tick, --lot, --min-notional and fees are the venue's to say.", field="tick", hint="Leave them out."
        )
