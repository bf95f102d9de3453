"""STOMP rules, section 1.5: headers that occur more than once."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_rpt_1_first_of_repeated_headers_wins(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.request("SEND", [("destination", queue), ("destination", "/queue/other"), ("a", "first"), ("a", "second")])

    client.subscribe(queue)
    message = client.expect("MESSAGE", destination=queue)
    assert message["a"] == "first"


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_rpt_2_message_repeats_no_header(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.request("SEND", [("destination", queue), ("a", "1"), ("a", "2"), ("priority", "7"), ("persistent", "true")])

    client.subscribe(queue, ack="client")
    names = client.expect("MESSAGE").names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "name", ["message-id", "subscription", "ack", "redelivered", "JMSXDeliveryCount", "timestamp", "content-length"]
)
def test_s12_rpt_3_broker_owned_headers_cannot_be_forged(clients: Clients, queue: str, version: str, name: str) -> None:
    client = clients.connect(version)
    forged = "4" if name == "content-length" else "forged"

    client.request("SEND", {"destination": queue, name: forged}, b"text")

    client.subscribe(queue, ack="client", id="mine")
    message = client.expect("MESSAGE")
    assert message.get(name) != "forged"
    assert (message["subscription"], message["redelivered"], message["JMSXDeliveryCount"]) == ("mine", "false", "1")
    assert message["content-length"] == "4"
