"""The Alembic environment; installed as `stompd.migrations`."""
