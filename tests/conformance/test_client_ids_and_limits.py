"""Client ids of users, takeover, and the limits of users, addresses and connections, over a real socket."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.conformance.conftest import StartBroker
from tests.harness.process import BrokerProcess
from tests.harness.raw import RawClient, unique_name
from tests.harness.waiting import wait_for

DURABLE = {"durable_subscription_name": "n"}


@pytest.fixture
def broker(start_broker: StartBroker, database_url: str, tmp_path: Path) -> BrokerProcess:
    """A broker with two users, on each database."""
    (tmp_path / "users").write_text("ann:a\nbob:b\n")
    return start_broker(store=database_url, arguments=["--auth", f"file:{tmp_path / 'users'}"])


def connect(broker: BrokerProcess, login: str, **headers: str) -> RawClient:
    client = RawClient(broker.port)
    client.connect(login=login, passcode=login[0], **headers)
    return client


def refuse(broker: BrokerProcess, code: str, *mentions: str, login: str = "anybody", **headers: str) -> None:
    with RawClient(broker.port) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client.send_frame(
            "CONNECT", {"accept-version": "1.2", "host": "x", "login": login, "passcode": login[0], **named}
        )
        client.expect_error(code, *mentions)


def test_client_id_with_durable_subscriptions_belongs_to_their_user_across_a_crash(broker: BrokerProcess) -> None:
    topic = unique_name("/topic/test")
    with connect(broker, "ann", client_id="billing") as ann:
        ann.subscribe(topic, **DURABLE)
    wait_for(lambda: "connected as ann" in broker.output, "ann has been there")

    refuse(broker, "invalid-client-id", "another user", login="bob", client_id="billing")
    broker.kill()
    broker.restart()
    refuse(broker, "invalid-client-id", "another user", login="bob", client_id="billing")

    with connect(broker, "ann", client_id="billing") as ann:
        ann.request("UNSUBSCRIBE", {"id": "1", "durable-subscription-name": "n"})
        ann.disconnect()
    connect(broker, "bob", client_id="billing").close()


def test_jms_410_client_id_in_use_says_where_to_its_own_user_only(broker: BrokerProcess) -> None:
    with connect(broker, "ann", client_id="billing"):
        refuse(broker, "invalid-client-id", "from 127.0.0.1 since 20", login="ann", client_id="billing")
        with RawClient(broker.port) as client:
            headers = {"accept-version": "1.2", "host": "x", "login": "bob", "passcode": "b", "client-id": "billing"}
            client.send_frame("CONNECT", headers)
            error = client.expect_error("invalid-client-id", "in use")
            assert "127.0.0.1" not in error.body.decode()


def test_jms_410_client_id_is_free_when_the_heart_of_its_connection_has_stopped(start_broker: StartBroker) -> None:
    broker = start_broker("heart_beat = [100, 100]")
    with RawClient(broker.port) as silent, RawClient(broker.port) as client:
        silent.connect(client_id="billing", heart_beat="100,0")

        silent.expect_error("heart-beat-missed")

        client.connect(client_id="billing")


def test_jms_410_client_id_is_taken_over_if_the_settings_say_so(start_broker: StartBroker) -> None:
    broker = start_broker("client_id_takeover = true")
    topic = unique_name("/topic/test")
    with RawClient(broker.port) as first, RawClient(broker.port) as second:
        first.connect(client_id="billing")
        first.subscribe(topic, "client", **DURABLE)
        first.send_message(topic, "x")
        first.expect_bodies("x")

        second.connect(client_id="billing")

        first.expect_error("taken-over", "127.0.0.1")
        second.subscribe(topic, "client", **DURABLE)
        (again,) = second.expect_bodies("x")
        assert again["redelivered"] == "true"


def test_jms_414_sender_is_named_if_the_settings_say_so(start_broker: StartBroker, database_url: str) -> None:
    broker = start_broker("sender_login = true", store=database_url)
    queue = unique_name("/queue/test")
    with RawClient(broker.port) as sender:
        sender.connect(login="mallory")
        for _ in range(2):
            sender.send_message(queue, "x", JMSXUserID="alice")
    broker.kill()
    broker.start()

    with RawClient(broker.port) as client:
        client.connect()
        client.subscribe(queue, selector="JMSXUserID = 'anonymous'")

        messages = client.expect_bodies("x", "x")

    assert [message["JMSXUserID"] for message in messages] == ["anonymous"] * 2


def test_connections_of_a_user_and_from_an_address_are_limited(start_broker: StartBroker) -> None:
    broker = start_broker("[limits]\nuser_connections = 2\naddress_connections = 3")
    clients = [RawClient(broker.port) for _ in range(3)]
    for client in clients[:2]:
        client.connect()

    with RawClient(broker.port) as client:
        client.expect_error("limit-exceeded", "limits.address_connections")
    clients[2].send_frame("CONNECT", {"accept-version": "1.2", "host": "x"})
    clients[2].expect_error("limit-exceeded", "limits.user_connections")

    for client in clients:
        client.close()


def test_user_who_sends_too_fast_is_read_more_slowly(start_broker: StartBroker) -> None:
    broker = start_broker("[limits]\nuser_messages_per_second = 10")
    queue = unique_name("/queue/test")
    with RawClient(broker.port) as client:
        client.connect()
        began = time.monotonic()

        for _ in range(20):
            client.send_frame("SEND", {"destination": queue})
        client.send_message(queue)

        assert time.monotonic() - began > 0.9
        client.disconnect()


def test_user_who_sends_too_much_may_get_an_error(start_broker: StartBroker) -> None:
    broker = start_broker("[limits]\nuser_bytes_per_second = 1000\nrate_is_error = true")
    queue = unique_name("/queue/test")
    with RawClient(broker.port) as client:
        client.connect()
        client.send_message(queue, b"x" * 900)

        client.send_frame("SEND", {"destination": queue, "receipt": "r"}, b"x" * 900)

        client.expect_error("limit-exceeded", "limits.user_bytes_per_second", receipt="r")


def test_grants_of_a_connection_are_limited_together(start_broker: StartBroker) -> None:
    broker = start_broker("[limits]\nsession_prefetch = 1500")
    with RawClient(broker.port) as client:
        client.connect()
        client.subscribe("/queue/a", prefetch_count="1000")

        client.send_frame("SUBSCRIBE", {"destination": "/queue/b", "id": "2", "prefetch-count": "501", "receipt": "r"})

        client.expect_error("limit-exceeded", "limits.session_prefetch", receipt="r")
