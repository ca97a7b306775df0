"""`cryptotrader up`: the whole platform on this machine, in the foreground."""

from __future__ import annotations

import typer


def up() -> None:
    """Start Prefect, the schedules and the first bot, and stay until Ctrl-C. The next start continues."""
    from cryptotrader.settings import load_settings
    from deployments import stack

    raise typer.Exit(stack.up(load_settings()))
