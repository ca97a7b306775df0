"""Every table. What users know as trades, orders and strategy states are views over these (see `views`)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cryptotrader.store.types import ExactDecimal, UtcDateTime

LongId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself for INTEGER keys only


class Base(DeclarativeBase):
    """Base of all tables; names constraints so that migrations can find them again."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        Decimal: ExactDecimal(),
        datetime: UtcDateTime(),
        str: Text(),
        dict[str, str]: JSON(),
    }


class IntentState(StrEnum):
    """Where an order stands, as far as is proven. `ARROWS` lists the only ways from one to another."""

    PENDING = "pending"
    SENT = "sent"
    UNKNOWN = "unknown"
    OPEN = "open"
    CANCEL_SENT = "cancel_sent"
    UNKNOWN_CANCEL = "unknown_cancel"
    QUARANTINED = "quarantined"
    VOID = "void"
    REJECTED = "rejected"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


_S = IntentState
TERMINAL = frozenset({_S.VOID, _S.REJECTED, _S.FILLED, _S.CANCELED, _S.EXPIRED})
_ENDED = frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED})
ARROWS: dict[IntentState, frozenset[IntentState]] = {
    _S.PENDING: frozenset({_S.SENT, _S.VOID}),
    _S.SENT: frozenset({_S.OPEN, _S.FILLED, _S.REJECTED, _S.UNKNOWN, _S.QUARANTINED}),
    _S.UNKNOWN: _ENDED | {_S.OPEN, _S.REJECTED, _S.PENDING, _S.QUARANTINED},
    _S.OPEN: _ENDED | {_S.CANCEL_SENT, _S.QUARANTINED},
    _S.CANCEL_SENT: _ENDED | {_S.OPEN, _S.UNKNOWN_CANCEL, _S.QUARANTINED},
    _S.UNKNOWN_CANCEL: _ENDED | {_S.OPEN, _S.QUARANTINED},
    _S.QUARANTINED: TERMINAL,
    **{state: frozenset() for state in TERMINAL},
}


class BotRow(Base):
    """A bot: what it should do, and the part of its state that is not in cells and lots."""

    __tablename__ = "bot"
    id: Mapped[int] = mapped_column(LongId, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    incarnation: Mapped[str] = mapped_column(String(6), unique=True)  # random part of its client order ids
    account: Mapped[str] = mapped_column(String(64))
    symbol: Mapped[str] = mapped_column(String(32))
    mode: Mapped[str] = mapped_column(String(8))
    strategy: Mapped[str] = mapped_column(String(32))
    config: Mapped[dict[str, str]]
    config_version: Mapped[int] = mapped_column(default=1)
    market: Mapped[dict[str, str]]
    investment: Mapped[Decimal]
    entry_base: Mapped[Decimal]
    entry_cost: Mapped[Decimal]
    phase: Mapped[str] = mapped_column(String(16))
    first_price: Mapped[Decimal | None]
    start_price: Mapped[Decimal | None]
    next_seq: Mapped[int]
    realised: Mapped[Decimal]
    cycles: Mapped[int]
    taken_out: Mapped[Decimal]
    third_fees: Mapped[Decimal]
    note: Mapped[str] = mapped_column(default="")  # why the bot as a whole does nothing; empty when it trades
    last_price: Mapped[Decimal | None]
    market_at: Mapped[datetime | None]
    market_label: Mapped[str] = mapped_column(default="")
    last_pass_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        Index("uq_bot_open_symbol", "account", "symbol", unique=True,
              sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL")),
    )  # fmt: skip


class LeaseRow(Base):
    """Who trades an account and symbol. `token` goes up by one with every take-over."""

    __tablename__ = "lease"
    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(128))
    token: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime]


class ControlRow(Base):
    """What a scope may do: "global", "account:NAME" or "bot:NAME". The strictest wins."""

    __tablename__ = "control"
    scope: Mapped[str] = mapped_column(String(96), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    exit_order: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    actor: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]


class CellRow(Base):
    """One cell of a bot. `reason` says why it has no order; empty when one rests."""

    __tablename__ = "cell"
    bot_id: Mapped[int] = mapped_column(ForeignKey("bot.id"), primary_key=True)
    cell: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16))
    quantity: Mapped[Decimal]
    cycle: Mapped[int]
    bought: Mapped[Decimal]
    sold: Mapped[Decimal]
    reason: Mapped[str] = mapped_column(default="")


class LotRow(Base):
    """Base bought together. Cell -1 holds what the START order bought until it is shared out."""

    __tablename__ = "lot"
    bot_id: Mapped[int] = mapped_column(ForeignKey("bot.id"), primary_key=True)
    cell: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    base: Mapped[Decimal]
    cost_quote: Mapped[Decimal]


class IntentRow(Base):
    """An order from before it is sent until it is proven ended."""

    __tablename__ = "intent"
    client_order_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    bot_id: Mapped[int] = mapped_column(ForeignKey("bot.id"))
    cell: Mapped[int]
    purpose: Mapped[str] = mapped_column(String(8))
    side: Mapped[str] = mapped_column(String(4))
    type: Mapped[str] = mapped_column(String(16))
    serial: Mapped[int]
    cycle: Mapped[int]
    price: Mapped[Decimal]
    quantity: Mapped[Decimal]
    state: Mapped[str] = mapped_column(String(16))
    token: Mapped[int] = mapped_column(BigInteger)
    venue_order_id: Mapped[str | None] = mapped_column(String(64), index=True)
    signed_at: Mapped[datetime | None]
    recv_window: Mapped[int]
    negatives: Mapped[int] = mapped_column(default=0)
    last_negative_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    refusal_code: Mapped[str | None]
    cooldown_until: Mapped[datetime | None]
    filled_base: Mapped[Decimal]
    filled_quote: Mapped[Decimal]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("bot_id", "cell", "purpose", "serial"),
        Index("uq_intent_live_slot", "bot_id", "cell", "purpose", unique=True,
              sqlite_where=text("state NOT IN ('void','rejected','filled','canceled','expired')"),
              postgresql_where=text("state NOT IN ('void','rejected','filled','canceled','expired')")),
    )  # fmt: skip


class FillRow(Base):
    """One execution, booked once. `bot_id` is empty for a trade that is not ours."""

    __tablename__ = "fill"
    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(32), primary_key=True)
    trade_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    bot_id: Mapped[int | None] = mapped_column(ForeignKey("bot.id"))
    client_order_id: Mapped[str | None] = mapped_column(String(36), index=True)
    cell: Mapped[int | None]
    purpose: Mapped[str | None] = mapped_column(String(8))
    cycle: Mapped[int | None]
    side: Mapped[str] = mapped_column(String(4))
    price: Mapped[Decimal]
    quantity: Mapped[Decimal]
    notional: Mapped[Decimal]
    fee_asset: Mapped[str] = mapped_column(String(16))
    fee: Mapped[Decimal]
    fee_quote: Mapped[Decimal]
    is_maker: Mapped[bool]
    realised: Mapped[Decimal]
    at: Mapped[datetime]
    booked_at: Mapped[datetime]
    __table_args__ = (Index("ix_fill_bot_id_trade_id", "bot_id", "trade_id"),)


class LedgerRow(Base):
    """One side of a double entry; all rows of a `txn` sum to 0 per asset.

    `account` is "wallet:ACCOUNT", "bot:NAME", "market:SYMBOL", "fees:ACCOUNT" or "external:ACCOUNT".
    """

    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(LongId, primary_key=True)
    txn: Mapped[str] = mapped_column(String(96), index=True)
    account: Mapped[str] = mapped_column(String(96))
    asset: Mapped[str] = mapped_column(String(16))
    amount: Mapped[Decimal]
    at: Mapped[datetime]


class LedgerBalanceRow(Base):
    """Running sum of the ledger per account and asset, written in the same transaction; `ledger verify` checks it."""

    __tablename__ = "ledger_balance"
    account: Mapped[str] = mapped_column(String(96), primary_key=True)
    asset: Mapped[str] = mapped_column(String(16), primary_key=True)
    amount: Mapped[Decimal]


class ExternalMoveRow(Base):
    """A deposit, withdrawal or manual trade: declared by a person, or found."""

    __tablename__ = "external_move"
    id: Mapped[int] = mapped_column(LongId, primary_key=True)
    account: Mapped[str] = mapped_column(String(64))
    asset: Mapped[str] = mapped_column(String(16))
    amount: Mapped[Decimal]
    kind: Mapped[str] = mapped_column(String(16))
    note: Mapped[str]
    at: Mapped[datetime]


class RateStateRow(Base):
    """Request weight used at a venue, shared by all processes of an account."""

    __tablename__ = "rate_state"
    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    weight_used: Mapped[int]
    window_started_at: Mapped[datetime]
    banned_until: Mapped[datetime | None]


class BreakerRow(Base):
    """A circuit breaker of a scope; once tripped it stays so until a person resets it."""

    __tablename__ = "breaker"
    scope: Mapped[str] = mapped_column(String(96), primary_key=True)
    rule: Mapped[str] = mapped_column(String(32), primary_key=True)
    tripped_at: Mapped[datetime | None]
    value: Mapped[Decimal | None]
    limit: Mapped[Decimal]
    detail: Mapped[str] = mapped_column(default="")


class SnapshotRow(Base):
    """Balance of one asset of an account at one moment; all rows of a moment are written together."""

    __tablename__ = "snapshot"
    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    asset: Mapped[str] = mapped_column(String(16), primary_key=True)
    free: Mapped[Decimal]
    locked: Mapped[Decimal]
    total: Mapped[Decimal]


class EquityRow(Base):
    """Equity and profit of a bot at one market moment, with its high-water mark so far."""

    __tablename__ = "equity"
    bot_id: Mapped[int] = mapped_column(ForeignKey("bot.id"), primary_key=True)
    market_at: Mapped[datetime] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    price: Mapped[Decimal]
    equity: Mapped[Decimal]
    grid_profit: Mapped[Decimal]
    inventory_pnl: Mapped[Decimal]
    hold_pnl: Mapped[Decimal]
    high_water: Mapped[Decimal]
    drawdown_frac: Mapped[Decimal]


class CandleRow(Base):
    """A cached candle; `is_final` is false for one that the venue may still revise."""

    __tablename__ = "candle"
    symbol: Mapped[str] = mapped_column(String(32), primary_key=True)
    timeframe: Mapped[str] = mapped_column(String(8), primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(primary_key=True)
    open: Mapped[Decimal]
    high: Mapped[Decimal]
    low: Mapped[Decimal]
    close: Mapped[Decimal]
    volume: Mapped[Decimal]
    source: Mapped[str] = mapped_column(String(64))
    is_final: Mapped[bool] = mapped_column(default=True)


class AuditRow(Base):
    """What somebody did, chained by hashes: a changed row breaks every later one."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(LongId, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(String(48))
    subject: Mapped[str]
    detail: Mapped[str]
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class OutboxRow(Base):
    """An alert, written in the transaction of the fact that it tells; delivered later, at least once."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(LongId, primary_key=True)
    at: Mapped[datetime]
    bot_id: Mapped[int | None] = mapped_column(ForeignKey("bot.id"))
    severity: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(48))
    message: Mapped[str]
    channel: Mapped[str] = mapped_column(String(32), default="log")
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    error: Mapped[str] = mapped_column(default="")
    delivered_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("severity IN ('info', 'warning', 'error', 'critical')", name="severity"),
        Index("ix_outbox_state_id", "state", "id"),
    )
