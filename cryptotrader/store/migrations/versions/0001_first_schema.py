"""The first schema: every table of the protocol, and the views.

Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op

from cryptotrader.store.types import ExactDecimal, UtcDateTime
from cryptotrader.store.views import create_statements, drop_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    op.create_table(
        "bot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("incarnation", sa.String(length=6), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("strategy", sa.String(length=32), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("config_version", sa.Integer(), nullable=False),
        sa.Column("market", sa.JSON(), nullable=False),
        sa.Column("investment", ExactDecimal(), nullable=False),
        sa.Column("entry_base", ExactDecimal(), nullable=False),
        sa.Column("entry_cost", ExactDecimal(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("first_price", ExactDecimal(), nullable=True),
        sa.Column("start_price", ExactDecimal(), nullable=True),
        sa.Column("next_seq", sa.Integer(), nullable=False),
        sa.Column("realised", ExactDecimal(), nullable=False),
        sa.Column("cycles", sa.Integer(), nullable=False),
        sa.Column("taken_out", ExactDecimal(), nullable=False),
        sa.Column("third_fees", ExactDecimal(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("last_price", ExactDecimal(), nullable=True),
        sa.Column("market_at", UtcDateTime(), nullable=True),
        sa.Column("market_label", sa.Text(), nullable=False),
        sa.Column("last_pass_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bot")),
        sa.UniqueConstraint("incarnation", name=op.f("uq_bot_incarnation")),
        sa.UniqueConstraint("name", name=op.f("uq_bot_name")),
    )
    with op.batch_alter_table("bot", schema=None) as batch_op:
        batch_op.create_index(
            "uq_bot_open_symbol",
            ["account", "symbol"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "breaker",
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("tripped_at", UtcDateTime(), nullable=True),
        sa.Column("value", ExactDecimal(), nullable=True),
        sa.Column("limit", ExactDecimal(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "rule", name=op.f("pk_breaker")),
    )
    op.create_table(
        "candle",
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("timeframe", sa.String(length=8), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("open", ExactDecimal(), nullable=False),
        sa.Column("high", ExactDecimal(), nullable=False),
        sa.Column("low", ExactDecimal(), nullable=False),
        sa.Column("close", ExactDecimal(), nullable=False),
        sa.Column("volume", ExactDecimal(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "timeframe", "opened_at", name=op.f("pk_candle")),
    )
    op.create_table(
        "control",
        sa.Column("scope", sa.String(length=96), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("exit_order", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_control")),
    )
    op.create_table(
        "external_move",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("asset", sa.String(length=16), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_move")),
    )
    op.create_table(
        "lease",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account", "symbol", name=op.f("pk_lease")),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("txn", sa.String(length=96), nullable=False),
        sa.Column("account", sa.String(length=96), nullable=False),
        sa.Column("asset", sa.String(length=16), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_txn"), ["txn"], unique=False)

    op.create_table(
        "ledger_balance",
        sa.Column("account", sa.String(length=96), nullable=False),
        sa.Column("asset", sa.String(length=16), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("account", "asset", name=op.f("pk_ledger_balance")),
    )
    op.create_table(
        "rate_state",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("weight_used", sa.Integer(), nullable=False),
        sa.Column("window_started_at", UtcDateTime(), nullable=False),
        sa.Column("banned_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_rate_state")),
    )
    op.create_table(
        "snapshot",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("asset", sa.String(length=16), nullable=False),
        sa.Column("free", ExactDecimal(), nullable=False),
        sa.Column("locked", ExactDecimal(), nullable=False),
        sa.Column("total", ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("account", "at", "asset", name=op.f("pk_snapshot")),
    )
    op.create_table(
        "cell",
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("bought", ExactDecimal(), nullable=False),
        sa.Column("sold", ExactDecimal(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name=op.f("fk_cell_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", "cell", name=op.f("pk_cell")),
    )
    op.create_table(
        "equity",
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("market_at", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("equity", ExactDecimal(), nullable=False),
        sa.Column("grid_profit", ExactDecimal(), nullable=False),
        sa.Column("inventory_pnl", ExactDecimal(), nullable=False),
        sa.Column("hold_pnl", ExactDecimal(), nullable=False),
        sa.Column("high_water", ExactDecimal(), nullable=False),
        sa.Column("drawdown_frac", ExactDecimal(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name=op.f("fk_equity_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", "market_at", name=op.f("pk_equity")),
    )
    op.create_table(
        "fill",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("symbol", sa.String(length=32), nullable=False),
        sa.Column("trade_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("client_order_id", sa.String(length=36), nullable=True),
        sa.Column("cell", sa.Integer(), nullable=True),
        sa.Column("purpose", sa.String(length=8), nullable=True),
        sa.Column("cycle", sa.Integer(), nullable=True),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("notional", ExactDecimal(), nullable=False),
        sa.Column("fee_asset", sa.String(length=16), nullable=False),
        sa.Column("fee", ExactDecimal(), nullable=False),
        sa.Column("fee_quote", ExactDecimal(), nullable=False),
        sa.Column("is_maker", sa.Boolean(), nullable=False),
        sa.Column("realised", ExactDecimal(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("booked_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name=op.f("fk_fill_bot_id")),
        sa.PrimaryKeyConstraint("account", "symbol", "trade_id", name=op.f("pk_fill")),
    )
    with op.batch_alter_table("fill", schema=None) as batch_op:
        batch_op.create_index("ix_fill_bot_id_trade_id", ["bot_id", "trade_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fill_client_order_id"), ["client_order_id"], unique=False)

    op.create_table(
        "intent",
        sa.Column("client_order_id", sa.String(length=36), nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cell", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("venue_order_id", sa.String(length=64), nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("recv_window", sa.Integer(), nullable=False),
        sa.Column("negatives", sa.Integer(), nullable=False),
        sa.Column("last_negative_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusal_code", sa.Text(), nullable=True),
        sa.Column("cooldown_until", UtcDateTime(), nullable=True),
        sa.Column("filled_base", ExactDecimal(), nullable=False),
        sa.Column("filled_quote", ExactDecimal(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name=op.f("fk_intent_bot_id")),
        sa.PrimaryKeyConstraint("client_order_id", name=op.f("pk_intent")),
        sa.UniqueConstraint("bot_id", "cell", "purpose", "serial", name=op.f("uq_intent_bot_id")),
    )
    with op.batch_alter_table("intent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intent_venue_order_id"), ["venue_order_id"], unique=False)
        batch_op.create_index(
            "uq_intent_live_slot",
            ["bot_id", "cell", "purpose"],
            unique=True,
            sqlite_where=sa.text("state NOT IN ('void','rejected','filled','canceled','expired')"),
            postgresql_where=sa.text("state NOT IN ('void','rejected','filled','canceled','expired')"),
        )

    op.create_table(
        "lot",
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cell", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("base", ExactDecimal(), nullable=False),
        sa.Column("cost_quote", ExactDecimal(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name=op.f("fk_lot_bot_id")),
        sa.PrimaryKeyConstraint("bot_id", "cell", "seq", name=op.f("pk_lot")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=48), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("severity IN ('info', 'warning', 'error', 'critical')", name=op.f("ck_outbox_severity")),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name=op.f("fk_outbox_bot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_state_id", ["state", "id"], unique=False)

    op.create_table(
        "reservation",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asset", sa.String(length=16), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name=op.f("fk_reservation_bot_id")),
        sa.PrimaryKeyConstraint("account", "bot_id", "asset", name=op.f("pk_reservation")),
    )
    for statement in create_statements(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for statement in drop_statements():
        op.execute(statement)
    op.drop_table("reservation")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_state_id")

    op.drop_table("outbox")
    op.drop_table("lot")
    with op.batch_alter_table("intent", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_intent_live_slot",
            sqlite_where=sa.text("state NOT IN ('void','rejected','filled','canceled','expired')"),
            postgresql_where=sa.text("state NOT IN ('void','rejected','filled','canceled','expired')"),
        )
        batch_op.drop_index(batch_op.f("ix_intent_venue_order_id"))

    op.drop_table("intent")
    with op.batch_alter_table("fill", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fill_client_order_id"))
        batch_op.drop_index("ix_fill_bot_id_trade_id")

    op.drop_table("fill")
    op.drop_table("equity")
    op.drop_table("cell")
    op.drop_table("snapshot")
    op.drop_table("rate_state")
    op.drop_table("ledger_balance")
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_txn"))

    op.drop_table("ledger")
    op.drop_table("lease")
    op.drop_table("external_move")
    op.drop_table("control")
    op.drop_table("candle")
    op.drop_table("breaker")
    with op.batch_alter_table("bot", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_bot_open_symbol",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.drop_table("bot")
    op.drop_table("audit")
