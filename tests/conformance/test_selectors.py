"""Selectors over a socket, on SQLite and on PostgreSQL (JMS 3.1, 3.8.1)."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import StartBroker
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient

#: As long as a queue gets when nobody wants what is in it.
_MANY = 100_000


@pytest.fixture
def own_broker(start_broker: StartBroker, database_url: str) -> BrokerProcess:
    """A broker for one test."""
    return start_broker(store=database_url)


def send(client: RawClient, destination: str, *bodies: str, **headers: str) -> None:
    for body in bodies:
        client.send_message(destination, body, **headers)


@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_jms_398_subscription_gets_what_its_selector_selects(own_broker: BrokerProcess, kind: str) -> None:
    with own_broker.client() as sender, own_broker.client() as client:
        client.subscribe(f"/{kind}/orders", selector="region = 'EU' AND amount > 100")

        send(sender, f"/{kind}/orders", "small", region="EU", amount="20")
        send(sender, f"/{kind}/orders", "large", region="EU", amount="500")
        send(sender, f"/{kind}/orders", "far", region="US", amount="500")

        client.expect_bodies("large")
        client.expect_nothing()


def test_jms_142_typed_properties_are_compared_by_their_types(own_broker: BrokerProcess) -> None:
    with own_broker.client() as client:
        client.subscribe("/queue/orders", selector="amount > 100")

        client.send_frame("SEND", {"destination": "/queue/orders", "amount": "500", "jms-prop-types": ""}, b"text")
        client.send_frame(
            "SEND", {"destination": "/queue/orders", "amount": "500", "jms-prop-types": "amount=I"}, b"int"
        )

        client.expect_bodies("int")
        client.expect_nothing()


def test_jms_169_what_is_not_selected_stays_for_others_in_order_and_uncounted(own_broker: BrokerProcess) -> None:
    with own_broker.client() as picky, own_broker.client() as other:
        picky.subscribe("/queue/orders", selector="colour = 'red'")
        send(other, "/queue/orders", "1", colour="blue")
        send(other, "/queue/orders", "2", colour="red")
        send(other, "/queue/orders", "3", colour="blue")
        picky.expect_bodies("2")

        other.subscribe("/queue/orders")

        assert [message["redelivered"] for message in other.expect_bodies("1", "3")] == ["false", "false"]


@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_jms_167_bad_selector_gets_an_error_with_a_caret_and_begins_nothing(
    own_broker: BrokerProcess, kind: str
) -> None:
    with own_broker.client() as client, own_broker.client() as other:
        client.send_frame(
            "SUBSCRIBE", {"destination": f"/{kind}/orders", "id": "1", "selector": "price > > 4", "receipt": "r"}
        )

        error = client.expect_error("invalid-selector", "column 9", receipt="r")
        lines = error.body.decode().splitlines()
        place = next(number for number, line in enumerate(lines) if line == "price > > 4")
        assert lines[place + 1] == "        ^"
        send(other, f"/{kind}/orders", "still there")


def test_jms_341_empty_selector_is_none(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as client:
        client.subscribe("/queue/orders", selector=" ")

        send(sender, "/queue/orders", "1")

        client.expect_bodies("1")


def test_jms_399_match_behind_many_others_is_found(own_broker: BrokerProcess) -> None:
    with own_broker.client() as sender, own_broker.client() as picky:
        frame = b"SEND\ndestination:/queue/long\ncolour:blue\n\n\0"
        for _ in range(_MANY // 1_000):
            sender.send(frame * 1_000)
        send(sender, "/queue/long", "first", colour="red")

        picky.subscribe("/queue/long", selector="colour = 'red'", ack="client-individual")
        [message] = picky.expect_bodies("first")
        picky.settle(message)
        send(sender, "/queue/long", "second", colour="red")

        picky.expect_bodies("second")


def test_selected_message_that_comes_back_is_selected_again_after_a_crash(
    start_broker: StartBroker, database_url: str
) -> None:
    broker = start_broker("[limits]\nwindow_count = 5\n", store=database_url)
    with broker.client() as client:
        for number in range(50):
            send(client, "/queue/orders", str(number), colour="red" if number % 10 == 9 else "blue")
        client.subscribe("/queue/orders", ack="client-individual", selector="colour = 'red'")
        first, *_ = client.expect_bodies("9", "19", "29", "39", "49")
        client.settle(first)

    broker.kill()
    broker.restart()

    with broker.client() as client:
        client.subscribe("/queue/orders", selector="colour = 'red'")
        messages = client.expect_bodies("19", "29", "39", "49")
        assert {message["redelivered"] for message in messages} == {"true"}
        client.expect_nothing()
