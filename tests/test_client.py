"""The client of the command line, against a broker that answers from a script."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import pytest

from stompd.client import Address, Client, ClientError, RefusedByBroker
from stompd.wire.frame import Frame
from tests.scripted import ScriptedBroker, confirm


def message(number: int) -> Frame:
    """Return a MESSAGE as a broker sends it."""
    return Frame("MESSAGE", {"ack": f"a{number}", "message-id": f"m{number}", "subscription": "1"}, b"body")


def client_of(broker: ScriptedBroker, timeout_seconds: float = 10.0) -> Client:
    """Return a client connected to the broker."""
    return Client(Address.parse(broker.url), timeout_seconds)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("stomp://broker", Address("broker", 61613, "", "")),
        ("stomp://broker:7", Address("broker", 7, "", "")),
        ("stomp://[::1]:7", Address("::1", 7, "", "")),
        ("stomp://ann:p%40ss%3A@broker", Address("broker", 61613, "ann", "p@ss:")),
    ],
)
def test_url_names_the_broker_and_the_login(url: str, address: Address) -> None:
    assert Address.parse(url) == address


@pytest.mark.parametrize("url", ["", "broker", "http://broker", "stomp://", "stomp://broker:port", "stomp://[x"])
def test_url_that_names_no_broker_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Address.parse(url)


def test_login_and_passcode_go_into_the_connect_frame() -> None:
    with ScriptedBroker() as broker:
        address = Address.parse(broker.url)._replace(login="ann", passcode="se:cret")
        with Client(address):
            pass

    assert broker.frames[0].headers == {
        "accept-version": "1.2",
        "host": "127.0.0.1",
        "login": "ann",
        "passcode": "se:cret",
    }


def test_message_is_confirmed_before_send_returns() -> None:
    with ScriptedBroker() as broker, client_of(broker) as client:
        client.send("/queue/a", b"body", {"x": "a:b"})

        assert broker.frames[1] == Frame(
            "SEND", {"destination": "/queue/a", "x": "a:b", "content-length": "4", "receipt": "1"}, b"body"
        )


def test_client_takes_its_leave() -> None:
    with ScriptedBroker() as broker, client_of(broker):
        pass

    assert broker.commands == ["CONNECT", "DISCONNECT"]


def test_client_leaves_at_once_after_an_exception() -> None:
    with ScriptedBroker() as broker, pytest.raises(KeyError), client_of(broker):
        raise KeyError

    assert broker.commands == ["CONNECT"]


def test_messages_before_the_receipt_are_kept() -> None:
    def answer(frame: Frame) -> Iterable[Frame]:
        if frame.command == "SUBSCRIBE":
            yield message(1)
        yield from confirm(frame)
        if frame.command == "SUBSCRIBE":
            yield message(2)

    with ScriptedBroker(answer) as broker, client_of(broker) as client:
        client.subscribe("/queue/a", 5)

        assert [client.receive().headers["message-id"] for _ in range(2)] == ["m1", "m2"]


def test_acknowledgement_names_the_delivery() -> None:
    with ScriptedBroker() as broker, client_of(broker) as client:
        client.acknowledge(message(7))

        assert broker.frames[1].headers == {"id": "a7", "receipt": "1"}


def test_other_receipts_are_passed_over() -> None:
    def answer(frame: Frame) -> Iterable[Frame]:
        yield Frame("RECEIPT", {"receipt-id": "other"}) if frame.command == "SEND" else b"\n"
        yield from confirm(frame)

    with ScriptedBroker(answer) as broker, client_of(broker) as client:
        client.send("/queue/a", b"", {})

        assert broker.commands == ["CONNECT", "SEND"]


def test_error_of_the_broker_is_raised_with_its_reason() -> None:
    error = Frame("ERROR", {"message": "The login was refused"}, b"Give another passcode.\n")

    with ScriptedBroker(lambda frame: [error]) as broker, pytest.raises(RefusedByBroker) as caught:
        client_of(broker)

    assert (caught.value.summary, caught.value.detail) == ("The login was refused", "Give another passcode.")


def test_nobody_listening_is_said_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    with pytest.raises(ClientError, match=rf"cannot connect to 127\.0\.0\.1:{port}: .*refused; is the broker running"):
        Client(Address("127.0.0.1", port, "", ""))


def test_silence_is_not_waited_for_too_long() -> None:
    with ScriptedBroker(lambda frame: []) as broker, pytest.raises(ClientError, match=r"within 0\.05 seconds"):
        client_of(broker, 0.05)


def test_peer_that_is_no_broker_is_named_so() -> None:
    http = b"HTTP/1.1 400 Bad Request\r\n\r\n\0"

    with ScriptedBroker(lambda frame: [http]) as broker, pytest.raises(ClientError, match="as a STOMP broker does"):
        client_of(broker)


def test_peer_that_skips_connected_is_named_so() -> None:
    with ScriptedBroker(lambda frame: [message(1)]) as broker, pytest.raises(ClientError, match="with MESSAGE"):
        client_of(broker)


def test_lost_connection_is_reported() -> None:
    def answer(frame: Frame) -> Iterable[Frame]:
        if frame.command == "SEND":
            raise ConnectionError
        return confirm(frame)

    with ScriptedBroker(answer) as broker:
        client = client_of(broker)
        with pytest.raises(ClientError, match=r"closed the connection|connection was lost"), client:
            client.send("/queue/a", b"", {})


def test_connection_that_is_gone_is_reported() -> None:
    with ScriptedBroker() as broker:
        client = client_of(broker)
        client._socket.shutdown(socket.SHUT_RDWR)

        with pytest.raises(ClientError, match="connection was lost"), client:
            client.send("/queue/a", b"", {})


def test_header_that_cannot_be_written_is_reported() -> None:
    with ScriptedBroker() as broker, client_of(broker) as client:
        with pytest.raises(ClientError, match="SEND frame cannot be written"):
            client.send("/queue/a", b"", {"x": "\0"})

        client.send("/queue/a", b"", {})


def test_moving_a_message_is_one_transaction() -> None:
    with ScriptedBroker() as broker, client_of(broker) as client:
        client.move(message(7), "/queue/b", {"colour": "red"})

        assert broker.commands[1:] == ["BEGIN", "SEND", "ACK", "COMMIT"]
        _, _, sent, acknowledged, committed = broker.frames
        assert (sent.headers["destination"], sent.headers["colour"], sent.body) == ("/queue/b", "red", message(7).body)
        assert acknowledged.headers["id"] == "a7"
        assert {frame.headers["transaction"] for frame in broker.frames[1:]} == {"1"}
        assert "receipt" in committed.headers


def test_silence_may_be_waited_for_a_while() -> None:
    with ScriptedBroker() as broker, client_of(broker) as client:
        assert client.receive_within(0.01) is None
