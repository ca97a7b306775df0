"""`cryptotrader run`: trade a grid, through a file to its end or in the foreground. Live money comes later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cryptotrader.errors import InputRefused
from deployments.cli.grid_flags import GridFlags, takes_grid_flags
from deployments.cli.output import AsJson

if TYPE_CHECKING:
    from cryptotrader.settings import Settings

HOW = "How it runs"


class Prices(StrEnum):
    """What moves prices: the same words as TRADING_MARKET, without loading the settings."""

    REPLAY = "replay"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class RunFlags:
    """What `run` takes beside a grid."""

    dry_run: bool
    live: bool
    market: Prices | None
    candles: Path | None
    until_end: bool
    passes_every: int | None
    touch: bool
    cycles: int | None


@takes_grid_flags
def run(
    grid: GridFlags,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Paper money (the default).", rich_help_panel=HOW)] = False,
    live: Annotated[bool, typer.Option("--live", help="Real money: still to come.", rich_help_panel=HOW)] = False,
    confirm: Annotated[  # noqa: ARG001 - belongs to --live, which is refused
        str | None, typer.Option(help="The symbol once more, for --live.", rich_help_panel=HOW)
    ] = None,
    market: Annotated[Prices | None, typer.Option(help="What moves prices.", rich_help_panel=HOW)] = None,
    candles: Annotated[Path | None, typer.Option(help="Candle file of the replay.", rich_help_panel=HOW)] = None,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Trade the file to its end, in throw-away books.", rich_help_panel=HOW)
    ] = False,
    passes_every: Annotated[
        int | None, typer.Option(help="Also a pass every so many candles; changes no result.", rich_help_panel=HOW)
    ] = None,
    touch: Annotated[
        bool, typer.Option("--touch", help="A touch fills, not only a trade through.", rich_help_panel=HOW)
    ] = False,
    cycles: Annotated[
        int | None, typer.Option(min=1, help="In the foreground: end after so many round trips.", rich_help_panel=HOW)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Trade on paper: a file to its end (--until-end), or in the foreground until Ctrl-C."""
    from cryptotrader.settings import load_settings

    flags = RunFlags(dry_run, live, market, candles, until_end, passes_every, touch, cycles)
    chosen = {"trading_market": market, "candles": candles}
    settings = load_settings(**{name: value for name, value in chosen.items() if value is not None})
    refuse_live(flags, settings)
    if until_end:
        from deployments.cli.replay import replay

        replay(grid, flags, settings, as_json=as_json)
    else:
        from deployments.cli.foreground import trade

        trade(grid, flags, settings, as_json=as_json)


def refuse_live(flags: RunFlags, settings: Settings) -> None:
    """Refuse real money, with the reason that the user can do something about first."""
    if not flags.live:
        return
    if flags.dry_run:
        raise InputRefused("--live and --dry-run contradict each other.", field="live", hint="Give one of them.")
    if settings.trading_dry_run and "trading_dry_run" in settings.model_fields_set:
        raise InputRefused(
            "--live is refused while TRADING_DRY_RUN is true.", field="TRADING_DRY_RUN", value="true",
            hint="Remove it, or set it to false, when you mean real money.",
        )  # fmt: skip
    raise InputRefused(
        "--live is still to come: every live order is refused until the whole order protocol has passed its "
        "simulation.", field="live", hint="Use --dry-run, with --market live for public prices.",
    )  # fmt: skip
