"""Users who may log in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "stompd_user",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("passcode_hash", sa.Text, nullable=False),
    )
