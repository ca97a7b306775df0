"""The paper exchange's own file: its tables, its birth, and the way to open it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Literal

from cryptotrader.errors import StoreError

Synchronous = Literal["FULL", "NORMAL", "OFF"]
SYNCHRONOUS: dict[Synchronous, str] = {
    "FULL": "PRAGMA synchronous = FULL",
    "NORMAL": "PRAGMA synchronous = NORMAL",
    "OFF": "PRAGMA synchronous = OFF",
}
SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 30

# Money is TEXT: SQLite's own numbers are floats. Prices that are compared stand beside it as whole ticks.
SCHEMA = """
PRAGMA user_version = 1;
CREATE TABLE book (account TEXT NOT NULL);
CREATE TABLE balance (asset TEXT PRIMARY KEY, free TEXT NOT NULL, locked TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE external_move (id INTEGER PRIMARY KEY, asset TEXT NOT NULL, amount TEXT NOT NULL);
CREATE TABLE market (
    symbol TEXT PRIMARY KEY, label TEXT NOT NULL, timeframe_ms INTEGER NOT NULL, tick_size TEXT NOT NULL,
    first_ms INTEGER NOT NULL, candle INTEGER NOT NULL, leg INTEGER NOT NULL, ticks INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, allowed_ms INTEGER, allowed_wall_ms INTEGER
) WITHOUT ROWID;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, client_order_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
    type TEXT NOT NULL, price TEXT NOT NULL, price_ticks INTEGER NOT NULL, quantity TEXT NOT NULL,
    filled TEXT NOT NULL, locked TEXT NOT NULL, status TEXT NOT NULL, created_ms INTEGER NOT NULL
);
CREATE INDEX orders_by_client_id ON orders (symbol, client_order_id, id);
CREATE INDEX orders_open ON orders (symbol, side, price_ticks, id) WHERE status = 'open';
CREATE TABLE trade (
    symbol TEXT NOT NULL, trade_id INTEGER NOT NULL, order_id INTEGER NOT NULL REFERENCES orders (id),
    side TEXT NOT NULL, price TEXT NOT NULL, quantity TEXT NOT NULL, fee_asset TEXT NOT NULL, fee TEXT NOT NULL,
    fee_quote TEXT NOT NULL, is_maker INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY (symbol, trade_id)
) WITHOUT ROWID;
"""


def open_book(
    path: Path, *, account: str, deposit: Mapping[str, Decimal], synchronous: Synchronous
) -> sqlite3.Connection:
    """Open the book at a path; give birth to it, with its deposits, when there is none.

    Raises:
        StoreError: not readable or writable, of another version of this code, or another account's book.
    """
    connection: sqlite3.Connection | None = None
    try:
        if not path.exists():
            _give_birth(path, account, deposit)
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.execute(SYNCHRONOUS[synchronous])
        _check_is_ours(connection, path, account)
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        raise StoreError(f"The paper exchange's book {path} cannot be used: {error}.") from error
    except StoreError:
        if connection is not None:
            connection.close()
        raise
    return connection


def first_candle_ms(path: Path, symbol: str) -> int | None:
    """Return the open time of a market's first candle, as the book at this path has it; None when it is new."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as connection:
        row = connection.execute("SELECT first_ms FROM market WHERE symbol = ?", (symbol,)).fetchone()
    return None if row is None else int(row[0])


def _check_is_ours(connection: sqlite3.Connection, path: Path, account: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise StoreError(f"{path} is a paper book of version {version}; this code reads {SCHEMA_VERSION}.")
    (owner,) = connection.execute("SELECT account FROM book").fetchone()
    if owner != account:
        raise StoreError(f"{path} is the paper book of account {owner!r}, not of {account!r}.")


def _give_birth(path: Path, account: str, deposit: Mapping[str, Decimal]) -> None:
    """Make a whole book aside and link it into place, so that nobody ever sees half of one.

    Two processes that start together both try; the second link fails, and its deposits with it.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp: mode 0600
    os.close(handle)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO book (account) VALUES (?)", (account,))
                rows = [(asset, format(amount, "f")) for asset, amount in deposit.items()]
                connection.executemany("INSERT INTO balance (asset, free, locked) VALUES (?, ?, '0')", rows)
                connection.executemany("INSERT INTO external_move (asset, amount) VALUES (?, ?)", rows)
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        for leftover in (name, f"{name}-wal", f"{name}-shm"):
            with suppress(FileNotFoundError):
                os.unlink(leftover)
