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

# On CI a skip is a failure; a broker of somebody else is no part that has to be there.
if os.environ.get("CI") and not any(variable in os.environ for variable, _ in BROKERS.values()):
    collect_ignore = ["test_brokers.py"]


@pytest.fixture(params=BROKERS)
def factory(request: pytest.FixtureRequest) -> ConnectionFactory:
    """Connects to the broker of a kind."""
    variable, example = BROKERS[request.param]
    url = os.environ.get(variable)
    if not url:
        pytest.skip(f"{variable}='{example}' runs this on a {request.param}")
    return ConnectionFactory(url)
