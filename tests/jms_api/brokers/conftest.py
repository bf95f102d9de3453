"""Brokers of others, on which tests run only if somebody says where they are."""

from __future__ import annotations

import os

import pytest

from jms_api import ConnectionFactory

#: For each kind of broker the environment variable that says where one is, and an example of its value.
BROKERS = {
    "rabbitmq": ("STOMPD_TEST_RABBITMQ", "stomp://guest:guest@127.0.0.1:61613?virtual_host=/"),
    "activemq": ("STOMPD_TEST_ACTIVEMQ", "stomp://127.0.0.1:61623"),
    "artemis": ("STOMPD_TEST_ARTEMIS", "stomp://admin:admin@127.0.0.1:61633"),
}

#: Those that were named.
NAMED = [kind for kind, (variable, _) in BROKERS.items() if os.environ.get(variable)]

# On CI a skip is a failure; a broker of somebody else is no part that has to be there.
if os.environ.get("CI") and not NAMED:
    collect_ignore = ["test_brokers.py"]


@pytest.fixture(params=NAMED)
def factory(request: pytest.FixtureRequest) -> ConnectionFactory:
    """Connects to the broker of a kind."""
    variable, _ = BROKERS[request.param]
    return ConnectionFactory(os.environ[variable])
