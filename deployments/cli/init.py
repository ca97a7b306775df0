"""`cryptotrader init`: make the home folder, the database, the first bot and a settings file to fill in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.settings import Settings

NEXT = (
    "cryptotrader up                        starts everything; Ctrl-C ends it",
    "cryptotrader status                    shows what the bots do",
    "cryptotrader doctor                    says what is wrong, if anything is",
)
SECRETS = "# Keep this file to yourself: it may come to hold keys."


def init(as_json: AsJson = False) -> None:
    """Make the home folder, the database and the first paper bot. What exists already is kept."""
    from cryptotrader.execution.commands import ensure_default_bot
    from cryptotrader.settings import load_settings
    from cryptotrader.store.migrate import upgrade
    from deployments.cli.ready import open_ready_desk
    from deployments.readiness import prepare_home

    settings = load_settings()
    prepare_home(settings.home)
    revision = upgrade(settings.database)
    with open_ready_desk(settings) as desk:
        bot = ensure_default_bot(desk)
    is_new = write_example(Path(".env"))
    if as_json:
        write_json({"home": str(settings.home), "revision": revision, "bot": bot.name, "env_written": is_new})
        return
    _tell(settings, bot.name, revision, is_new=is_new)


def write_example(path: Path) -> bool:
    """Write a settings file in which every line is a comment, unless there is a file. Returns whether it did."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(example())
    return True


def example() -> str:
    """Return every setting with its meaning and default, as comments."""
    from cryptotrader.settings import Settings

    lines = ["# Settings of CryptoTrader. Remove the '#' in front of a name to set it.", SECRETS, ""]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        lines += [f"# {field.description}", f"#{name.upper()}={default}"]
    return "\n".join([*lines, ""])


def _tell(settings: Settings, bot: str, revision: str, *, is_new: bool) -> None:
    from rich.markup import escape

    console = screen()
    console.print(f"[green]ready[/]  home {escape(str(settings.home))}", soft_wrap=True)
    console.print(f"[green]ready[/]  database at revision {revision}")
    console.print(f"[green]ready[/]  bot [bold]{bot}[/] on paper money")
    if is_new:
        console.print("[green]ready[/]  .env with every setting as a comment")
    console.print("\nNext:")
    for line in NEXT:
        console.print(f"  {line}", soft_wrap=True)
