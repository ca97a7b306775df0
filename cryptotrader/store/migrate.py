"""Bring a database to the schema of this code."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from cryptotrader.errors import StoreError
from cryptotrader.store.database import Database, explained

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> str:
    """Migrate the database at `url`, creating it if need be, in one transaction; return its revision.

    Raises:
        StoreError: it cannot be written, or its revision is not one of this code's (it is newer).
    """
    database = Database(url)
    try:
        with explained(url), database.engine.connect() as connection:
            refuse_newer(connection)
            command.upgrade(configuration(connection), revision)
            connection.commit()
            return str(current_revision(connection))
    finally:
        database.close()


def downgrade(url: str, revision: str) -> None:
    """Migrate back to a revision ("base": nothing left)."""
    database = Database(url)
    try:
        with explained(url), database.engine.connect() as connection:
            command.downgrade(configuration(connection), revision)
            connection.commit()
    finally:
        database.close()


def find_revision(url: str) -> str | None:
    """Return the revision of the database at `url` without making one; None when there is none, or nothing in it."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    if is_file and not Path(str(parsed.database)).exists():
        return None
    database = Database(url)
    try:
        with explained(url), database.engine.connect() as connection:
            return current_revision(connection)
    finally:
        database.close()


def newest_revision() -> str:
    """Return the revision that this code works with."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def require_newest(url: str) -> None:
    """Refuse a database that this code cannot work with as it is.

    Raises:
        StoreError: there is none, it is older, or it is newer; the message names both revisions.
    """
    here, newest = find_revision(url), newest_revision()
    where = make_url(url).render_as_string(hide_password=True)
    if here is None:
        raise StoreError(f"There is no database at {where} yet: `cryptotrader init` makes one.")
    if here != newest:
        raise StoreError(
            f"The database {where} is at revision {here}, this version works with {newest}: "
            f"`cryptotrader init` migrates an older one, and a newer one needs a newer version."
        )


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration, bound to a connection of ours."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def refuse_newer(connection: Connection) -> None:
    """Refuse a database whose revision this code does not know, naming both."""
    here = current_revision(connection)
    scripts = ScriptDirectory.from_config(configuration(connection))
    if here is not None and here not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            f"The database is at revision {here}, which this version does not know (its newest is "
            f"{scripts.get_current_head()}): a newer version wrote it. Update the program, or restore a backup."
        )
