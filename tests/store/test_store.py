"""The database: exact, in UTC, migrated as the models say, and read as the original's users know it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from stat import S_IMODE

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from cryptotrader.core.candles import Candle
from cryptotrader.errors import BooksDisagree, StoreError
from cryptotrader.store.books import balance_of, ledger_sums, post
from cryptotrader.store.candles import last_candle_at, save_candles
from cryptotrader.store.database import Database
from cryptotrader.store.migrate import downgrade, upgrade
from cryptotrader.store.outbox import add_alert
from cryptotrader.store.schema import Base, LeaseRow
from cryptotrader.store.types import ExactDecimal, UtcDateTime
from cryptotrader.store.views import VIEWS
from tests.execution.world import World, trade_to_end

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class Dialect:
    name = "sqlite"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/trading.db"
    upgrade(url)
    database = Database(url)
    yield database
    database.close()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**15), max_value=10**15))
def test_money_comes_back_to_the_last_digit(amount: Decimal) -> None:
    column = ExactDecimal()
    stored = column.process_bind_param(amount, Dialect())
    assert isinstance(stored, str)
    assert "E" not in stored
    assert column.process_result_value(stored, Dialect()) == amount


@pytest.mark.parametrize("bad", [0.1, 1, "1", Decimal("NaN"), Decimal("Infinity")])
def test_money_is_a_finite_decimal_or_refused(bad: object) -> None:
    with pytest.raises(TypeError):
        ExactDecimal().process_bind_param(bad, Dialect())


def test_times_come_back_in_utc() -> None:
    column = UtcDateTime()
    berlin = NOW.astimezone(timezone(timedelta(hours=2)))
    assert column.process_result_value(column.process_bind_param(berlin, Dialect()), Dialect()) == NOW
    with pytest.raises(TypeError, match="no time zone"):
        column.process_bind_param(NOW.replace(tzinfo=None), Dialect())


def test_times_sort_as_text() -> None:
    column = UtcDateTime()
    moments = [NOW, NOW.replace(microsecond=0), NOW + timedelta(seconds=1)]
    stored = [column.process_bind_param(moment, Dialect()) for moment in moments]
    assert sorted(stored) == [stored[1], stored[0], stored[2]]


def test_migrations_make_what_the_models_say(db: Database) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_go_down_and_up_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trading.db"
    upgrade(url)
    downgrade(url, "base")
    database = Database(url)
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    database.close()
    assert upgrade(url) == "0002"


def test_a_newer_database_is_refused_by_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trading.db"
    upgrade(url)
    database = Database(url)
    with database.transaction("forge") as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreError, match=r"revision 9999.*its newest is 0002"):
        upgrade(url)


def test_a_path_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written: File exists"):
        upgrade(f"sqlite:///{tmp_path}/file/trading.db")


def test_the_file_is_for_its_owner_only(db: Database, tmp_path: Path) -> None:
    assert S_IMODE((tmp_path / "trading.db").stat().st_mode) == 0o600


def test_a_failed_transaction_leaves_nothing(db: Database) -> None:
    def broken() -> None:
        with db.transaction("broken") as session:
            add_alert(session, bot_id=None, severity="info", kind="x", message="y", at=NOW)
            post(session, "t", [("a", "USDT", Decimal(1)), ("b", "USDT", Decimal("-0.99"))], at=NOW)

    with pytest.raises(BooksDisagree):
        broken()
    with db.reading() as session:
        assert session.execute(text("SELECT count(*) FROM outbox")).scalar() == 0


def test_two_writers_wait_for_each_other(db: Database, tmp_path: Path) -> None:
    other = Database(f"sqlite:///{tmp_path}/trading.db")
    with db.transaction("one") as session:
        session.add(LeaseRow(account="a", symbol="s", holder="h", token=1, expires_at=NOW))
    with other.transaction("two") as session:
        session.get_one(LeaseRow, ("a", "s")).token = 2
    with db.reading() as session:
        assert session.get_one(LeaseRow, ("a", "s")).token == 2
    other.close()


def test_sqlite_is_durable_and_waits(db: Database) -> None:
    with db.reading() as session:
        pragmas = {name: session.execute(text(f"PRAGMA {name}")).scalar() for name in
                   ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")}  # fmt: skip
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15000}


def test_a_row_of_an_unknown_bot_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError), db.transaction("orphan") as session:
        add_alert(session, bot_id=77, severity="info", kind="x", message="y", at=NOW)


def test_ledger_balances_run_with_the_ledger(db: Database) -> None:
    with db.transaction("post") as session:
        post(session, "t1", [("a", "USDT", Decimal("0.1")), ("b", "USDT", Decimal("-0.1"))], at=NOW)
        post(session, "t2", [("a", "USDT", Decimal("0.2")), ("b", "USDT", Decimal("-0.2"))], at=NOW)
        assert balance_of(session, "a", "USDT") == Decimal("0.3")
        assert ledger_sums(session) == {("a", "USDT"): Decimal("0.3"), ("b", "USDT"): Decimal("-0.3")}


def test_an_alert_is_not_repeated_within_the_hour(db: Database) -> None:
    with db.transaction("alerts") as session:
        for minutes in (0, 59, 61):
            add_alert(session, bot_id=None, severity="info", kind="k", message="m", at=NOW + timedelta(minutes=minutes))
        session.flush()
        assert session.execute(text("SELECT count(*) FROM outbox")).scalar() == 2


def test_candles_are_revised_not_doubled(db: Database) -> None:
    one = Candle(NOW, *map(Decimal, (1, 2, 1, 2, 5)))
    revised = Candle(NOW, *map(Decimal, (1, 3, 1, 2, 6)))
    with db.transaction("candles") as session:
        assert save_candles(session, "BTC/USDT", "1m", [one], source="test") == 1
        assert save_candles(session, "BTC/USDT", "1m", [one], source="test") == 0
        assert save_candles(session, "BTC/USDT", "1m", [revised], source="test") == 1
        assert last_candle_at(session, "BTC/USDT", "1m") == NOW
        assert session.execute(text("SELECT high, volume FROM ohlcv_cache")).all() == [("3", "6")]


def test_views_have_the_originals_fields(tmp_path: Path) -> None:
    world = World(tmp_path)
    desk = world.start_process()
    world.add(desk)
    trade_to_end(desk)
    expected = {
        "trades": {"id", "order_id", "symbol", "side", "amount", "price", "cost", "fee", "timestamp"},
        "orders": {"id", "symbol", "side", "type", "status", "price", "amount", "filled"},
        "strategy_states": {"strategy_name", "symbol", "state_data", "updated_at"},
        "balance_snapshots": {"timestamp", "currency", "free", "used", "total"},
        "ohlcv_cache": {"symbol", "timeframe", "timestamp", "open", "high", "low", "close", "volume"},
        "alert_log": {"timestamp", "severity", "channel", "message", "delivered"},
    }
    assert expected.keys() == VIEWS.keys()
    with desk.db.reading() as session:
        for view, fields in expected.items():
            assert fields <= set(session.execute(text(f"SELECT * FROM {view}")).keys())
        cost = session.execute(text("SELECT amount, price, cost FROM trades")).first()
    assert cost is not None
    assert Decimal(cost.amount) * Decimal(cost.price) == Decimal(cost.cost)
    world.end_processes()
