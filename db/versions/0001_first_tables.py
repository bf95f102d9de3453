"""The first tables: one broker, queues, messages, and the views for people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_EXTRAS = {
    "postgresql": (
        # Bodies are often compressed or random already; compressing them again costs more than it saves.
        "ALTER TABLE stompd_message ALTER COLUMN body SET STORAGE EXTERNAL",
        """
        CREATE VIEW stompd_messages AS
        SELECT queue.name AS queue,
               message.message_id,
               9 - message.urgency AS priority,
               to_timestamp(message.timestamp_ms / 1000.0) AS sent_at,
               CASE WHEN message.expires_ms > 0 THEN to_timestamp(message.expires_ms / 1000.0) END AS expires_at,
               CASE WHEN message.message_id <= queue.recovered_through THEN greatest(message.delivery_count, 1)
                    ELSE message.delivery_count END AS delivery_count,
               message.is_persistent,
               message.destination,
               message.headers ->> 'correlation-id' AS correlation_id,
               message.headers ->> 'reply-to' AS reply_to,
               message.headers ->> 'type' AS type,
               message.headers ->> 'content-type' AS content_type,
               message.headers,
               octet_length(message.body) AS body_bytes,
               encode(message.body, 'escape') AS body
        FROM stompd_message AS message
        LEFT JOIN stompd_queue AS queue ON queue.queue_id = message.queue_id
        """,
        """
        CREATE VIEW stompd_queues AS
        SELECT queue.name,
               queue.is_durable,
               count(message.message_id) AS message_count,
               to_timestamp(min(message.timestamp_ms) / 1000.0) AS oldest_sent_at,
               queue.queue_id
        FROM stompd_queue AS queue
        LEFT JOIN stompd_message AS message ON message.queue_id = queue.queue_id
        GROUP BY queue.queue_id
        """,
    ),
    "sqlite": (
        """
        CREATE VIEW stompd_messages AS
        SELECT queue.name AS queue,
               message.message_id,
               9 - message.urgency AS priority,
               strftime('%Y-%m-%dT%H:%M:%fZ', message.timestamp_ms / 1000.0, 'unixepoch') AS sent_at,
               CASE WHEN message.expires_ms > 0
                    THEN strftime('%Y-%m-%dT%H:%M:%fZ', message.expires_ms / 1000.0, 'unixepoch') END AS expires_at,
               CASE WHEN message.message_id <= queue.recovered_through THEN max(message.delivery_count, 1)
                    ELSE message.delivery_count END AS delivery_count,
               message.is_persistent,
               message.destination,
               json_extract(message.headers, '$."correlation-id"') AS correlation_id,
               json_extract(message.headers, '$."reply-to"') AS reply_to,
               json_extract(message.headers, '$."type"') AS type,
               json_extract(message.headers, '$."content-type"') AS content_type,
               message.headers,
               length(message.body) AS body_bytes,
               message.body
        FROM stompd_message AS message
        LEFT JOIN stompd_queue AS queue ON queue.queue_id = message.queue_id
        """,
        """
        CREATE VIEW stompd_queues AS
        SELECT queue.name,
               queue.is_durable,
               count(message.message_id) AS message_count,
               strftime('%Y-%m-%dT%H:%M:%fZ', min(message.timestamp_ms) / 1000.0, 'unixepoch') AS oldest_sent_at,
               queue.queue_id
        FROM stompd_queue AS queue
        LEFT JOIN stompd_message AS message ON message.queue_id = queue.queue_id
        GROUP BY queue.queue_id
        """,
    ),
}


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "stompd_broker",
        sa.Column("broker_id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("is_clean", sa.Boolean, nullable=False),
        sa.CheckConstraint("broker_id = 1", name="stompd_broker_one_row"),
    )
    op.create_table(
        "stompd_queue",
        sa.Column("queue_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("is_durable", sa.Boolean, nullable=False),
        sa.Column("delivered_through", sa.BigInteger, nullable=False),
        sa.Column("recovered_through", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "stompd_message",
        sa.Column("queue_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("urgency", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("timestamp_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("delivery_count", sa.Integer, nullable=False),
        sa.Column("is_persistent", sa.Boolean, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("headers", postgresql.JSON().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "stompd_message_not_persistent",
        "stompd_message",
        ["queue_id"],
        postgresql_where=sa.text("NOT is_persistent"),
        sqlite_where=sa.text("NOT is_persistent"),
    )
    connection = op.get_bind()
    for statement in _EXTRAS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
