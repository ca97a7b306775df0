"""Checks as programs and people read them: `[{"name", "ok", "severity", "message"}]`, or a line each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import typer

from deployments.cli.output import screen, write_json

MARKS = {"info": "[green]ok[/]", "warning": "[yellow]warning[/]", "error": "[red]error[/]"}


@dataclass(frozen=True, slots=True)
class Check:
    """One check. A warning may be lived with; an error makes the exit code 1."""

    name: str
    ok: bool
    severity: str
    message: str


def passed(name: str, message: str) -> Check:
    """Return a check that holds."""
    return Check(name, True, "info", message)


def warned(name: str, message: str) -> Check:
    """Return a check that does not hold, and need not always."""
    return Check(name, False, "warning", message)


def failed(name: str, message: str) -> Check:
    """Return a check that has to hold and does not."""
    return Check(name, False, "error", message)


def show_checks(checks: Iterable[Check], *, as_json: bool) -> None:
    """Print checks and leave with 1 when one of them failed."""
    found = list(checks)
    if as_json:
        write_json([asdict(check) for check in found])
    else:
        _draw(found)
    if any(check.severity == "error" for check in found):
        raise typer.Exit(1)


def _draw(checks: list[Check]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for check in checks:
        table.add_row(MARKS[check.severity], f"[bold]{check.name}[/]", escape(check.message))
    screen().print(table)
