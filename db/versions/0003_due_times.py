"""When a message is due: a column, indexes for it and for expiries, and the view that shows it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_VIEW = {
    "postgresql": """
        CREATE VIEW stompd_messages AS
        SELECT queue.name AS queue,
               message.message_id,
               9 - message.urgency AS priority,
               to_timestamp(message.timestamp_ms / 1000.0) AS sent_at,
               CASE WHEN message.expires_ms > 0 THEN to_timestamp(message.expires_ms / 1000.0) END AS expires_at,
               CASE WHEN message.due_ms > 0 THEN to_timestamp(message.due_ms / 1000.0) END AS due_at,
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
    "sqlite": """
        CREATE VIEW stompd_messages AS
        SELECT queue.name AS queue,
               message.message_id,
               9 - message.urgency AS priority,
               strftime('%Y-%m-%dT%H:%M:%fZ', message.timestamp_ms / 1000.0, 'unixepoch') AS sent_at,
               CASE WHEN message.expires_ms > 0
                    THEN strftime('%Y-%m-%dT%H:%M:%fZ', message.expires_ms / 1000.0, 'unixepoch') END AS expires_at,
               CASE WHEN message.due_ms > 0
                    THEN strftime('%Y-%m-%dT%H:%M:%fZ', message.due_ms / 1000.0, 'unixepoch') END AS due_at,
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
}

_COLUMNS = (
    "queue_id, urgency, message_id, timestamp_ms, expires_ms, delivery_count, is_persistent, destination, headers, body"
)


def upgrade() -> None:
    """Add the column; messages that are there are due at once."""
    connection = op.get_bind()
    dialect = connection.dialect.name
    connection.exec_driver_sql("DROP VIEW stompd_messages")
    if dialect == "sqlite":
        _rebuild(connection)
    else:
        op.add_column("stompd_message", sa.Column("due_ms", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_index(
        "stompd_message_due",
        "stompd_message",
        ["queue_id", "due_ms", "message_id"],
        postgresql_where=sa.text("due_ms > 0"),
        sqlite_where=sa.text("due_ms > 0"),
    )
    op.create_index(
        "stompd_message_expires",
        "stompd_message",
        ["expires_ms", "queue_id", "message_id"],
        postgresql_where=sa.text("expires_ms > 0"),
        sqlite_where=sa.text("expires_ms > 0"),
    )
    connection.exec_driver_sql(_VIEW[dialect])


def _rebuild(connection: sa.Connection) -> None:
    """Copy the table: to a column behind the body, SQLite would have to walk through every large body."""
    # Else the views that are left would follow the old table to its new name.
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    op.rename_table("stompd_message", "stompd_message_0001")
    connection.exec_driver_sql("PRAGMA legacy_alter_table = OFF")
    op.drop_index("stompd_message_not_persistent")
    op.create_table(
        "stompd_message",
        sa.Column("queue_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("urgency", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("timestamp_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("due_ms", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("delivery_count", sa.Integer, nullable=False),
        sa.Column("is_persistent", sa.Boolean, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("headers", postgresql.JSON().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    connection.exec_driver_sql(f"INSERT INTO stompd_message ({_COLUMNS}) SELECT {_COLUMNS} FROM stompd_message_0001")
    op.drop_table("stompd_message_0001")
    op.create_index(
        "stompd_message_not_persistent", "stompd_message", ["queue_id"], sqlite_where=sa.text("NOT is_persistent")
    )
