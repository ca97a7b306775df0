"""`cryptotrader db migrate --to URL`: move a running user's data to another database."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cryptotrader.errors import InputRefused, SettingsRefused
from deployments.cli.output import AsJson, screen, write_json

if TYPE_CHECKING:
    from cryptotrader.settings import Settings

db_app = typer.Typer(help="The database.")


@db_app.callback()
def db() -> None:
    """The database."""


@db_app.command("migrate")
def migrate(
    to: Annotated[str, typer.Option(help="An empty database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.")],
    as_json: AsJson = False,
) -> None:
    """Copy all data to another, empty database, compare every row, and halt the old one."""
    from getpass import getuser

    from cryptotrader.runtime import Runtime
    from cryptotrader.settings import load_settings
    from cryptotrader.store.transfer import transfer

    settings, target = load_settings(), _readable(to)
    _refuse_running(settings)
    report = transfer(settings.database, target, actor=getuser(), now=Runtime().wall.now())
    if as_json:
        write_json({**asdict(report), "total": report.total})
        return
    for table, rows in report.rows.items():
        if rows:
            screen().print(f"  {table:<16} {rows:>8}")
    screen().print(
        f"{report.total} rows are in {report.target}, compared one by one. Set DATABASE_URL to it and start again; "
        f"the old database is halted.", soft_wrap=True,
    )  # fmt: skip


def _readable(url: str) -> str:
    from cryptotrader.settings import normalise_database_url

    try:
        return normalise_database_url(url)
    except SettingsRefused as refused:
        message = refused.message.replace("DATABASE_URL", "--to")
        raise InputRefused(message, field="to", value=refused.value, hint=refused.hint) from None


def _refuse_running(settings: Settings) -> None:
    from deployments.cli.running import running_processes

    if names := ", ".join(process.name for process in running_processes(settings) if process.is_healthy):
        raise InputRefused(f"The stack runs ({names}).", field="to", hint="End `cryptotrader up` first.")
