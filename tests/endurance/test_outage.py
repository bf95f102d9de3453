"""Promise 9: the database may go away. Nobody is thrown out, nothing is confirmed, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.endurance.conftest import MakeBroker
from tests.endurance.outage import SETTINGS, ride_out
from tests.postgres import PostgresServer

#: Longer than a broker waits for a heart-beat of a client that may not have been read.
OUTAGE_SECONDS = 2.5


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill], ids=["stopped", "killed"])
def test_nothing_is_confirmed_or_lost_while_the_database_is_away(
    own_postgresql_server: PostgresServer, make_broker: MakeBroker, end: Callable[[PostgresServer], None]
) -> None:
    server = own_postgresql_server
    broker = make_broker(server.url(), SETTINGS).start()

    outage = ride_out(broker, lambda: end(server), server.start, OUTAGE_SECONDS)

    assert outage.confirmed_while_still == 0
    assert outage.sent_while_still == 0
    assert min(outage.beats_while_still) >= OUTAGE_SECONDS  # five a second were agreed upon
    assert outage.faults == []
