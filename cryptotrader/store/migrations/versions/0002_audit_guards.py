"""The audit log is protected by triggers; the reservations go: a bot's ledger account is its reservation.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from cryptotrader.store.guards import create_guards, drop_guards
from cryptotrader.store.types import ExactDecimal

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("reservation")
    for statement in create_guards(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for statement in drop_guards(op.get_bind().dialect.name):
        op.execute(statement)
    op.create_table(
        "reservation",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("bot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asset", sa.String(length=16), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.ForeignKeyConstraint(["bot_id"], ["bot.id"], name=op.f("fk_reservation_bot_id")),
        sa.PrimaryKeyConstraint("account", "bot_id", "asset", name=op.f("pk_reservation")),
    )
