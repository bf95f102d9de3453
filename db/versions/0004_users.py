"""Users who may log in; whose durable subscriptions are, and on which virtual host."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_VIEW = {
    "postgresql": """
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
    "sqlite": """
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
}

_COLUMNS = "queue_id, client_id, name, topic, selector, no_local, is_shared"
_UNIQUE = ("host", "client_id", "name")


def upgrade() -> None:
    """Create the table of users; give durable subscriptions that are there to nobody, on the default host."""
    op.create_table(
        "stompd_user",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("passcode_hash", sa.Text, nullable=False),
    )
    connection = op.get_bind()
    dialect = connection.dialect.name
    connection.exec_driver_sql("DROP VIEW stompd_subscriptions")
    if dialect == "sqlite":
        _rebuild(connection)
    else:
        for name in ("host", "owner"):
            op.add_column("stompd_subscription", _text(name))
        op.drop_constraint("stompd_subscription_name", "stompd_subscription")
        op.create_unique_constraint("stompd_subscription_name", "stompd_subscription", list(_UNIQUE))
    connection.exec_driver_sql(_VIEW[dialect])


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''"))


def _rebuild(connection: sa.Connection) -> None:
    """Copy the table: SQLite cannot change a constraint."""
    # Else the views that are left would follow the old table to its new name.
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    op.rename_table("stompd_subscription", "stompd_subscription_0003")
    connection.exec_driver_sql("PRAGMA legacy_alter_table = OFF")
    op.create_table(
        "stompd_subscription",
        sa.Column("queue_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("selector", sa.Text, nullable=False),
        sa.Column("no_local", sa.Boolean, nullable=False),
        sa.Column("is_shared", sa.Boolean, nullable=False),
        _text("host"),
        _text("owner"),
        sa.UniqueConstraint(*_UNIQUE, name="stompd_subscription_name"),
    )
    connection.exec_driver_sql(
        f"INSERT INTO stompd_subscription ({_COLUMNS}) SELECT {_COLUMNS} FROM stompd_subscription_0003"
    )
    op.drop_table("stompd_subscription_0003")
