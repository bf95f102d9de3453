"""Durable subscriptions: their table, and its view for people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VIEW = {
    "postgresql": (
        """
        CREATE VIEW stompd_subscriptions AS
        SELECT subscription.client_id,
               subscription.name,
               subscription.topic,
               subscription.selector,
               subscription.no_local,
               subscription.is_shared,
               count(message.message_id) AS pending_count,
               to_timestamp(min(message.timestamp_ms) / 1000.0) AS oldest_sent_at,
               queue.name AS queue,
               subscription.queue_id
        FROM stompd_subscription AS subscription
        JOIN stompd_queue AS queue ON queue.queue_id = subscription.queue_id
        LEFT JOIN stompd_message AS message ON message.queue_id = subscription.queue_id
        GROUP BY subscription.queue_id, queue.queue_id
        """
    ),
    "sqlite": (
        """
        CREATE VIEW stompd_subscriptions AS
        SELECT subscription.client_id,
               subscription.name,
               subscription.topic,
               subscription.selector,
               subscription.no_local,
               subscription.is_shared,
               count(message.message_id) AS pending_count,
               strftime('%Y-%m-%dT%H:%M:%fZ', min(message.timestamp_ms) / 1000.0, 'unixepoch') AS oldest_sent_at,
               queue.name AS queue,
               subscription.queue_id
        FROM stompd_subscription AS subscription
        JOIN stompd_queue AS queue ON queue.queue_id = subscription.queue_id
        LEFT JOIN stompd_message AS message ON message.queue_id = subscription.queue_id
        GROUP BY subscription.queue_id, queue.queue_id
        """
    ),
}


def upgrade() -> None:
    """Create both."""
    op.create_table(
        "stompd_subscription",
        sa.Column("queue_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("selector", sa.Text, nullable=False),
        sa.Column("no_local", sa.Boolean, nullable=False),
        sa.Column("is_shared", sa.Boolean, nullable=False),
        sa.UniqueConstraint("client_id", "name", name="stompd_subscription_name"),
    )
    connection = op.get_bind()
    connection.exec_driver_sql(_VIEW[connection.dialect.name])
