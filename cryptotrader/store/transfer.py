"""Move a running user's data to another database: every row, checked one by one, or nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, zip_longest
from pathlib import Path

from sqlalchemy import Connection, Integer, RowMapping, Select, String, Table, func, insert, select, text
from sqlalchemy.engine import make_url

from cryptotrader.core.reconcile import Control
from cryptotrader.errors import InputRefused, LeaseHeld, StoreError
from cryptotrader.store.audit import append_audit
from cryptotrader.store.control import GLOBAL, set_control
from cryptotrader.store.database import Database, Session, explained
from cryptotrader.store.migrate import newest_revision, require_newest, upgrade
from cryptotrader.store.schema import Base, LeaseRow

CHUNK = 1000
TABLES: tuple[Table, ...] = tuple(Base.metadata.sorted_tables)  # a table stands behind those that it refers to


@dataclass(frozen=True, slots=True)
class TransferReport:
    """What was moved: rows by table, all of them compared. The URLs are without their passwords."""

    source: str
    target: str
    revision: str
    rows: dict[str, int]

    @property
    def total(self) -> int:
        """How many rows were moved."""
        return sum(self.rows.values())


def transfer(source_url: str, target_url: str, *, actor: str, now: datetime) -> TransferReport:
    """Copy all data to an empty database in one transaction, then halt the source, so that nobody trades on both.

    Nobody writes to the source meanwhile: it is locked. The halt is a row of the source alone, with its reason.

    Args:
        now: wall time, to tell leases that are held.

    Raises:
        InputRefused: both URLs name the same database, or the target has rows; nothing was changed.
        LeaseHeld: a bot is being traded; nothing was changed.
        StoreError: a database cannot be used or is of another revision, or a row came back different.
    """
    if _identity(source_url) == _identity(target_url):
        raise InputRefused("source and target are the same database.", field="to", value=_shown(target_url))
    require_newest(source_url)
    source = Database(source_url)
    try:
        with explained(source_url), Session(source.engine) as session:
            _lock(session.connection())
            _refuse_held(session, now)
            rows = _copy(session.connection(), target_url)
            reason = f"moved to {_shown(target_url)}"
            set_control(session, GLOBAL, Control.HALTED, actor=actor, reason=reason, at=now)
            append_audit(session, actor=actor, action="db.migrate", subject=GLOBAL, detail={"reason": reason}, at=now)
            session.commit()
    finally:
        source.close()
    return TransferReport(_shown(source_url), _shown(target_url), newest_revision(), rows)


def _copy(source: Connection, target_url: str) -> dict[str, int]:
    """Fill the target in one transaction, and read every row again before its commit."""
    upgrade(target_url)
    target = Database(target_url)
    try:
        with explained(target_url), target.engine.connect() as connection, connection.begin():
            _lock(connection)
            _refuse_filled(connection, target_url)
            rows = {table.name: _copy_table(source, connection, table) for table in TABLES}
            for table in TABLES:
                _compare(source, connection, table)
                _set_sequence(connection, table)
            return rows
    finally:
        target.close()


def _copy_table(source: Connection, target: Connection, table: Table) -> int:
    count, rows = 0, _rows(source, table)
    while chunk := [dict(row) for row in islice(rows, CHUNK)]:
        target.execute(insert(table), chunk)
        count += len(chunk)
    return count


def _compare(source: Connection, target: Connection, table: Table) -> None:
    """Hold both tables against each other, row by row."""
    for number, (one, other) in enumerate(zip_longest(_rows(source, table), _rows(target, table)), start=1):
        if one is None or other is None:
            lacks = "source" if one is None else "target"
            raise StoreError(f"{table.name}: the {lacks} has only {number - 1} rows; nothing was moved.")
        if dict(one) != dict(other):
            key = ", ".join(str(one[column.name]) for column in table.primary_key)
            raise StoreError(f"{table.name}: row {key} came back different; nothing was moved.")


def _rows(connection: Connection, table: Table) -> Iterator[RowMapping]:
    """Yield all rows in the order of their keys, the same on both kinds of database."""
    query = _ordered(table, connection.dialect.name)
    with connection.execute(query, execution_options={"yield_per": CHUNK}) as result:
        yield from result.mappings()


def _ordered(table: Table, dialect: str) -> Select[tuple[object, ...]]:
    byte_order = "BINARY" if dialect == "sqlite" else "C"
    keys = [column.collate(byte_order) if isinstance(column.type, String) else column for column in table.primary_key]
    return select(table).order_by(*keys)


def _set_sequence(connection: Connection, table: Table) -> None:
    """Let PostgreSQL number on behind the rows that were brought; SQLite does so by itself."""
    key = next(iter(table.primary_key))
    is_numbered = table.autoincrement_column is key and isinstance(key.type, Integer)
    last = connection.scalar(select(func.max(key))) if is_numbered else None
    if connection.dialect.name == "postgresql" and last is not None:
        sequence = "SELECT setval(pg_get_serial_sequence(:of_table, :of_column), :last)"
        connection.execute(text(sequence), {"of_table": table.name, "of_column": key.name, "last": last})


def _lock(connection: Connection) -> None:
    """Keep everybody else from writing until this transaction ends; SQLite's BEGIN IMMEDIATE does so by itself."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in TABLES)
        connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _refuse_held(session: Session, now: datetime) -> None:
    for lease in session.scalars(select(LeaseRow).where(LeaseRow.expires_at > now)):
        raise LeaseHeld(
            f"{lease.symbol} on {lease.account} is traded by {lease.holder} until {lease.expires_at:%H:%M:%S} UTC: "
            f"end it first, nothing was moved"
        )


def _refuse_filled(connection: Connection, target_url: str) -> None:
    for table in TABLES:
        if count := connection.scalar(select(func.count()).select_from(table)):
            raise InputRefused(
                f"{_shown(target_url)} is not empty: {table.name} has {count} rows.", field="to",
                value=_shown(target_url), hint="Name an empty database; nothing is ever merged.",
            )  # fmt: skip


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _identity(url: str) -> str:
    """Return what tells one database from another: for a file its whole path."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        return str(Path(parsed.database).resolve())
    return parsed.set(username=None, password=None).render_as_string()
