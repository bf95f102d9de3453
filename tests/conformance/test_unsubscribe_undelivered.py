"""UNSUBSCRIBE with `undelivered:true`: what is outstanding goes back as if it had never been delivered."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients


@pytest.fixture(scope="module")
def store_url(either_store_url: str) -> str:
    """Both databases."""
    return either_store_url


@pytest.mark.parametrize(("flag", "redelivered", "count"), [("true", "false", "1"), ("false", "true", "2")])
def test_what_nobody_has_seen_is_not_counted(
    clients: Clients, queue: str, flag: str, redelivered: str, count: str
) -> None:
    client = clients.connect()
    client.send_message(queue, b"1")
    client.subscribe(queue, "client-individual", "first")
    client.expect("MESSAGE")

    client.request("UNSUBSCRIBE", [("id", "first"), ("undelivered", flag)])

    client.subscribe(queue, "client-individual", "second")
    client.expect("MESSAGE", redelivered=redelivered, JMSXDeliveryCount=count)
