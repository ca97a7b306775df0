"""A running user's data moved from one database to another and back: every row, or none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from cryptotrader.core.reconcile import Control
from cryptotrader.errors import InputRefused, LeaseHeld, StoreError
from cryptotrader.execution.commands import control_bot
from cryptotrader.store import transfer as transfer_module
from cryptotrader.store.audit import verify_audit
from cryptotrader.store.database import Database
from cryptotrader.store.lease import take_lease
from cryptotrader.store.migrate import downgrade, find_revision, upgrade
from cryptotrader.store.outbox import add_alert
from cryptotrader.store.schema import AuditRow, ControlRow, FillRow, OutboxRow
from cryptotrader.store.transfer import TABLES, TransferReport, transfer
from tests.databases import POSTGRESQL, SQLITE, fresh_database
from tests.execution.world import (
    SYMBOL,
    World,
    check_invariants,
    hash_of,
    later,
    tend_once,
    trade_to_end,
)

OTHER = {SQLITE: POSTGRESQL, POSTGRESQL: SQLITE}


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def traded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A world that has traded to its end and stands still."""
    world = World(tmp_path, request.param)
    desk = world.start_process()
    world.add(desk)
    trade_to_end(desk)
    later(desk, seconds=31)
    yield world
    world.end_processes()


def target_of(world: World) -> str:
    folder = world.folder / "target"
    folder.mkdir(exist_ok=True)
    return fresh_database(OTHER[world.database], folder)


def moved(world: World, target: str) -> TransferReport:
    return transfer(world.url, target, actor="tester", now=world.clock.now())


def test_everything_arrives_and_trades_on(traded: World) -> None:
    before = hash_of(traded.start_process())
    target = target_of(traded)
    report = moved(traded, target)
    assert report.rows.keys() == {table.name for table in TABLES}
    assert report.rows["fill"] > 5
    assert report.total == sum(report.rows.values())
    assert report.revision == "0002"
    traded.end_processes()
    traded.url = target
    desk = traded.start_process("after")
    assert hash_of(desk) == before
    check_invariants(desk)
    control_bot(desk, None, Control.ACTIVE, reason="numbered on")  # new rows get new numbers
    with desk.db.transaction("test") as session:
        add_alert(session, bot_id=None, severity="info", kind="k", message="m", at=traded.clock.now())
    assert tend_once(desk).tally.total == 0
    with desk.db.reading() as session:
        assert verify_audit(session) == 2
        assert session.scalar(select(func.max(OutboxRow.id))) == report.rows["outbox"] + 1


def test_there_and_back_is_the_same(traded: World, tmp_path: Path) -> None:
    first = target_of(traded)
    report = moved(traded, first)
    (tmp_path / "back").mkdir()
    back = fresh_database(traded.database, tmp_path / "back")
    assert transfer(first, back, actor="tester", now=traded.clock.now()).rows == report.rows


def test_the_source_is_halted_and_says_why(traded: World) -> None:
    target = target_of(traded)
    moved(traded, target)
    desk = traded.start_process("left behind")
    with desk.db.reading() as session:
        row = session.get_one(ControlRow, "global")
        assert (row.state, row.reason.startswith("moved to ")) == ("halted", True)
        assert verify_audit(session) == 2


def test_a_missing_file_is_made(traded: World, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/trading.db"
    moved(traded, url)
    assert find_revision(url) == "0002"


def test_a_filled_target_is_refused(traded: World) -> None:
    target = target_of(traded)
    other = Database(target)
    with other.transaction("test") as session:
        add_alert(session, bot_id=None, severity="info", kind="k", message="m", at=traded.clock.now())
    other.close()
    with pytest.raises(InputRefused, match="is not empty: outbox has 1 rows") as refused:
        moved(traded, target)
    assert refused.value.field == "to"
    with pytest.raises(InputRefused, match="are the same database"):
        moved(traded, traded.url)


def test_a_held_lease_is_refused(traded: World) -> None:
    desk = traded.start_process()
    with desk.db.transaction("test") as session:
        take_lease(session, "paper", SYMBOL, holder="trader", now=traded.clock.now())
    target = target_of(traded)
    with pytest.raises(LeaseHeld, match="is traded by trader until"):
        moved(traded, target)
    later(desk, seconds=31)
    moved(traded, target)


def test_a_row_that_changes_on_the_way_leaves_nothing(traded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    target, copy = target_of(traded), transfer_module._copy_table

    def forge(source: object, connection: object, table: object) -> int:
        count = copy(source, connection, table)  # type: ignore[arg-type]
        if table.name == "fill":  # type: ignore[attr-defined]
            connection.execute(text("UPDATE fill SET cycle = 7 WHERE trade_id = 3"))  # type: ignore[attr-defined]
        return count

    monkeypatch.setattr(transfer_module, "_copy_table", forge)
    with pytest.raises(StoreError, match=r"fill: row paper, BTC/USDT, 3 came back different; nothing was moved"):
        moved(traded, target)
    database = Database(target)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(FillRow)) == 0
    database.close()


@pytest.mark.parametrize("verb", ["UPDATE audit SET detail = '{}'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_audit_log_is_only_added_to(traded: World, verb: str) -> None:
    if traded.database == SQLITE and verb.startswith("TRUNCATE"):
        pytest.skip("SQLite has no TRUNCATE")
    desk = traded.start_process()
    with pytest.raises(DBAPIError, match="the audit log is only ever added to"), desk.db.transaction("forge") as s:
        s.execute(text(verb))
    with desk.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditRow)) == 1


def test_migrations_keep_the_data(traded: World) -> None:
    before = hash_of(traded.start_process())
    traded.end_processes()
    downgrade(traded.url, "0001")
    assert upgrade(traded.url) == "0002"
    desk = traded.start_process("after")
    assert hash_of(desk) == before
    check_invariants(desk)
