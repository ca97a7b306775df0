"""Open the database, and the one way to use it: a transaction with a name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from cryptotrader.errors import StoreError

__all__ = ["Checkpoint", "Database", "Session", "explained", "insert_missing", "nothing_happens"]

Checkpoint = Callable[[str], None]


def nothing_happens(_name: str) -> None:
    """Pass a checkpoint outside of simulations."""


class Database:
    """A database of ours.

    Args:
        url: a synchronous SQLAlchemy URL.
        checkpoint: called with "NAME:before" and "NAME:after" around every commit; a simulation crashes there.
        durable: False only for throw-away databases of replays: SQLite then does not wait for the disk.
    """

    def __init__(self, url: str, *, checkpoint: Checkpoint = nothing_happens, durable: bool = True) -> None:
        self.url, self.checkpoint = url, checkpoint
        self.engine = _create_engine(url, durable=durable)
        self._reader = self.engine.execution_options(reads_only=True)

    @contextmanager
    def transaction(self, name: str) -> Iterator[Session]:
        """Open a session that is committed when the block ends and rolled back when it raises.

        SQLite: BEGIN IMMEDIATE, because a deferred transaction that turns into a write fails at once when another
        has written, whatever the busy timeout says.
        """
        with explained(self.url), Session(self.engine, expire_on_commit=False) as session:
            yield session
            self.checkpoint(f"{name}:before")
            session.commit()
        self.checkpoint(f"{name}:after")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one state of the database and changes nothing."""
        with explained(self.url), Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _create_engine(url: str, *, durable: bool) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, isolation_level="READ COMMITTED")
    if parsed.database and parsed.database != ":memory:":
        _prepare_file(Path(parsed.database))
    engine = create_engine(parsed, connect_args={"timeout": 15, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'OFF'}",
            "foreign_keys=ON",
            "busy_timeout=15000",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def _prepare_file(path: Path) -> None:
    """Create the file for its owner only; say plainly when that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"The database file {path} cannot be written: {error.strerror}.") from None


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn a driver's error into one line that names the database, without its password."""
    try:
        yield
    except OperationalError as error:
        where = make_url(url).render_as_string(hide_password=True)
        raise StoreError(f"The database {where} cannot be used: {error.orig}.") from error


def insert_missing(session: Session, table: type[DeclarativeBase], rows: list[dict[str, object]]) -> None:
    """Insert rows, leaving those alone whose key is there already, also when another process inserts them now."""
    dialect = session.get_bind().dialect.name
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    session.execute(statement.on_conflict_do_nothing(), rows)
