"""What arrived: the ids by which duplicates are found, and an index of messages that are last values."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both."""
    op.create_table(
        "stompd_dedup",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("dedup_id", sa.Text, primary_key=True),
        sa.Column("message_id", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "stompd_message_last_value",
        "stompd_message",
        ["queue_id", "message_id"],
        postgresql_where=sa.text("(headers ->> 'last-value-key') IS NOT NULL"),
        sqlite_where=sa.text("instr(headers, '\"last-value-key\":') > 0"),
    )
