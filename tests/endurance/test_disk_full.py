"""Promise 9, when the disk is full: nothing is confirmed, nobody is thrown out, and work goes on once there is room."""

from __future__ import annotations

import psycopg

from tests.endurance.conftest import MakeBroker
from tests.endurance.fullness import fill_up, limit_files
from tests.postgres import PostgresServer

SETTINGS = """
    heart_beat = [200, 1000]

    [limits]
    journal_units = 500
"""

#: The room for a file of the database, beyond the 16 MiB that each of PostgreSQL's logs takes.
ROOM_BYTES = 20 * 1024 * 1024


def test_sqlite_file_that_cannot_grow_holds_producers_back_until_it_can(
    sqlite_url: str, make_broker: MakeBroker
) -> None:
    broker = make_broker(sqlite_url, SETTINGS).start()
    limit_files(broker.pid, ROOM_BYTES)

    result = fill_up(broker, lambda: limit_files(broker.pid, None))

    assert result.confirmed >= result.confirmed_before + 3000
    assert result.faults == []


def test_postgresql_table_that_cannot_grow_holds_producers_back_until_it_can(
    own_postgresql_server: PostgresServer, make_broker: MakeBroker
) -> None:
    url = own_postgresql_server.url()
    broker = make_broker(url, SETTINGS).start()
    session = session_of_broker(url)
    limit_files(session, ROOM_BYTES)

    result = fill_up(broker, lambda: limit_files(session, None))

    assert result.confirmed >= result.confirmed_before + 3000
    assert result.faults == []


def session_of_broker(url: str) -> int:
    """Return the server process that works for the broker."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'stompd'").fetchone()
    assert row is not None
    return int(row[0])
