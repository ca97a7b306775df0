"""Where words go: one JSON document or text to stdout; progress and notes to stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def write_json(document: object) -> None:
    """Write the one document of a command under --json."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def note(text: str) -> None:
    """Tell a person something that is no result: to stderr, so that a pipe stays clean."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def screen() -> Console:
    """Return a console on stdout; rich is loaded only for people."""
    from rich.console import Console

    return Console(highlight=False)
