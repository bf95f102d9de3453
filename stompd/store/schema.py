"""The tables as this release expects them; `db/versions` creates them and brings older ones here.

Every table bears the prefix `stompd_`, because people share a database with other applications. The views
`stompd_messages`, `stompd_queues` and `stompd_subscriptions` are for people; the program does not read them.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

METADATA = MetaData()

#: One row: who writes, and whether the last one closed cleanly.
BROKER = Table(
    "stompd_broker",
    METADATA,
    Column("broker_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("is_clean", Boolean, nullable=False),
    CheckConstraint("broker_id = 1", name="stompd_broker_one_row"),
)

#: `delivered_through` is the delivery mark; `recovered_through` is what it was when the last crash was recovered from:
#: messages up to it count as delivered at least once. So recovery costs the same for a long queue as for a short one.
QUEUE = Table(
    "stompd_queue",
    METADATA,
    Column("queue_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("is_durable", Boolean, nullable=False),
    Column("delivered_through", BigInteger, nullable=False),
    Column("recovered_through", BigInteger, nullable=False),
)

#: One row per durable subscription, whose messages are those of its queue. An empty `client_id` or `selector` is none,
#: and an empty `host` is the default one.
SUBSCRIPTION = Table(
    "stompd_subscription",
    METADATA,
    Column("queue_id", BigInteger, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("selector", Text, nullable=False),
    Column("no_local", Boolean, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("host", Text, nullable=False, server_default=text("''")),
    Column("owner", Text, nullable=False, server_default=text("''")),
    UniqueConstraint("host", "client_id", "name", name="stompd_subscription_name"),
)

#: One row per message and queue. The key is the order of delivery (`urgency` is 9 - priority), so that an insert
#: touches one index, and a page of any queue is one range of it. No foreign key to the queue: PostgreSQL would look up
#: and lock the queue's row for every message; the writer is alone, and `open` removes what belongs to no queue.
MESSAGE = Table(
    "stompd_message",
    METADATA,
    Column("queue_id", BigInteger, primary_key=True, autoincrement=False),
    Column("urgency", SmallInteger, primary_key=True, autoincrement=False),
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("timestamp_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False, server_default=text("0")),
    Column("delivery_count", Integer, nullable=False),
    Column("is_persistent", Boolean, nullable=False),
    Column("destination", Text, nullable=False),
    Column("headers", JSON().with_variant(Text(), "sqlite"), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# Finds what must go at the next start; persistent messages are not in it, so they do not pay for it.
Index(
    "stompd_message_not_persistent",
    MESSAGE.c.queue_id,
    postgresql_where=text("NOT is_persistent"),
    sqlite_where=text("NOT is_persistent"),
)

# Find what becomes due in a queue, and what expires in any; other messages are not in them, so they do not pay for it.
Index(
    "stompd_message_due",
    MESSAGE.c.queue_id,
    MESSAGE.c.due_ms,
    MESSAGE.c.message_id,
    postgresql_where=text("due_ms > 0"),
    sqlite_where=text("due_ms > 0"),
)
Index(
    "stompd_message_expires",
    MESSAGE.c.expires_ms,
    MESSAGE.c.queue_id,
    MESSAGE.c.message_id,
    postgresql_where=text("expires_ms > 0"),
    sqlite_where=text("expires_ms > 0"),
)

# Finds the messages that a newer one with the same key replaces; others are not in it, so they pay next to nothing.
Index(
    "stompd_message_last_value",
    MESSAGE.c.queue_id,
    MESSAGE.c.message_id,
    postgresql_where=text("(headers ->> 'last-value-key') IS NOT NULL"),
    sqlite_where=text("instr(headers, '\"last-value-key\":') > 0"),
)

#: One row per message whose sender gave it a `dedup-id`, while that is within the window of its destination.
DEDUP = Table(
    "stompd_dedup",
    METADATA,
    Column("path", Text, primary_key=True),
    Column("dedup_id", Text, primary_key=True),
    Column("message_id", BigInteger, nullable=False),
)

#: Who may log in, where `--auth database` says so.
USER = Table(
    "stompd_user",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("passcode_hash", Text, nullable=False),
)

#: In the order in which they are created, for each database.
EXTRAS = {
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
               subscription.queue_id,
               subscription.host,
               subscription.owner
        FROM stompd_subscription AS subscription
        JOIN stompd_queue AS queue ON queue.queue_id = subscription.queue_id
        LEFT JOIN stompd_message AS message ON message.queue_id = subscription.queue_id
        GROUP BY subscription.queue_id, queue.queue_id
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
               subscription.queue_id,
               subscription.host,
               subscription.owner
        FROM stompd_subscription AS subscription
        JOIN stompd_queue AS queue ON queue.queue_id = subscription.queue_id
        LEFT JOIN stompd_message AS message ON message.queue_id = subscription.queue_id
        GROUP BY subscription.queue_id, queue.queue_id
        """,
    ),
}

for _dialect, _statements in EXTRAS.items():
    for _statement in _statements:
        # `DDL` formats its text with `%`.
        _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy's own omission
        event.listen(METADATA, "after_create", _ddl.execute_if(dialect=_dialect))
