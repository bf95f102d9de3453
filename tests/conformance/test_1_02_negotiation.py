"""STOMP rules, section 1.2: how both sides agree on a version."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients
from tests.harness.frames import write_frame

CLIENT_FRAMES = [
    ("SEND", {"destination": "/queue/a"}),
    ("SUBSCRIBE", {"destination": "/queue/a", "id": "1"}),
    ("UNSUBSCRIBE", {"id": "1"}),
    ("ACK", {"id": "1"}),
    ("NACK", {"id": "1"}),
    ("BEGIN", {"transaction": "t"}),
    ("COMMIT", {"transaction": "t"}),
    ("ABORT", {"transaction": "t"}),
    ("DISCONNECT", {}),
]


def test_s11_neg_1_connect_without_accept_version_means_1_0(clients: Clients, queue: str) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"login": "a", "passcode": "b"})

    client.expect("CONNECTED", version="1.0")
    # Only 1.0 takes a backslash for an ordinary octet and lets a SUBSCRIBE go without an id.
    client.send(f"SUBSCRIBE\ndestination:{queue}\n\n\0SEND\ndestination:{queue}\npath:a\\b\n\n\0".encode())
    client.expect("MESSAGE", path="a\\b")


@pytest.mark.parametrize(
    ("accepted", "version"),
    [
        ("1.0", "1.0"),
        ("1.1", "1.1"),
        ("1.2", "1.2"),
        ("1.0,1.1,1.2", "1.2"),
        ("1.2,1.1,1.0", "1.2"),
        ("1.1,1.0", "1.1"),
        ("2.0,1.1,0.9,elephant", "1.1"),
        ("1.2,3.0", "1.2"),
        ("1.10,1.0", "1.0"),
    ],
)
def test_s11_neg_2_highest_common_version_is_taken(clients: Clients, accepted: str, version: str) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": accepted, "host": "localhost"})

    client.expect("CONNECTED", version=version)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_s11_neg_3_connected_carries_the_version(clients: Clients, version: str) -> None:
    client = clients.dial()

    connected = client.connect(version)

    assert connected["version"] == version


@pytest.mark.parametrize("accepted", ["9.9", "0.9,2.0", "", "1", "1.3"])
def test_s12_neg_4_no_common_version_is_refused_with_the_list(clients: Clients, accepted: str) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": accepted, "host": "localhost"})

    error = client.expect_error("unsupported-version", "1.0", "1.1", "1.2")
    assert sorted(error["version"].split(",")) == ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_s12_neg_5_stomp_is_handled_as_connect(clients: Clients, queue: str, version: str) -> None:
    client = clients.dial()

    client.send_frame("STOMP", {"accept-version": version, "host": "localhost", "receipt": "ignored"})

    assert "receipt-id" not in client.expect("CONNECTED", version=version)
    client.use_version(version)
    client.expect_nothing()


def test_s12_neg_5_stomp_is_not_unescaped(clients: Clients) -> None:
    client = clients.dial()

    client.send(b"STOMP\naccept-version:1.2\nhost:local\\thost\n\n\0")

    client.expect("CONNECTED", version="1.2")


def test_s11_neg_6_spaces_in_accept_version_are_ignored(clients: Clients) -> None:
    client = clients.dial()

    client.send_frame("CONNECT", {"accept-version": " 1.0, 1.1 , 1.2 ", "host": "localhost"})

    client.expect("CONNECTED", version="1.2")


@pytest.mark.parametrize(("command", "headers"), CLIENT_FRAMES)
def test_s10_neg_7_frame_before_connect_is_refused(clients: Clients, command: str, headers: dict[str, str]) -> None:
    client = clients.dial()

    client.send_frame(command, headers)

    client.expect_error("not-connected", "CONNECT")


@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_s10_neg_8_second_connect_is_refused(clients: Clients, command: str, version: str) -> None:
    client = clients.connect(version)

    client.send_frame(command, {"accept-version": version, "host": "localhost"})

    client.expect_error("already-connected")


@pytest.mark.parametrize(
    ("version", "on_the_wire", "meant"),
    [("1.0", "a\\c", "a\\c"), ("1.1", "a\\c", "a:"), ("1.2", "a\\r", "a\r")],
)
def test_s11_neg_9_frames_behind_connect_follow_the_negotiated_version(
    clients: Clients, queue: str, version: str, on_the_wire: str, meant: str
) -> None:
    client = clients.dial()
    connect = write_frame("CONNECT", {"accept-version": version, "host": "localhost"})

    client.send(connect + f"SEND\ndestination:{queue}\nmark:{on_the_wire}\n\n\0".encode())

    client.expect("CONNECTED", version=version)
    reader = clients.connect("1.2")
    client.use_version(version)
    client.expect_nothing()
    reader.subscribe(queue)
    reader.expect("MESSAGE", mark=meant)


@pytest.mark.parametrize("command", ["CONNECTED", "MESSAGE", "RECEIPT", "ERROR"])
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_s10_neg_10_command_of_the_server_is_refused(clients: Clients, command: str, version: str) -> None:
    client = clients.connect(version)

    client.send_frame(command, {"message-id": "1", "destination": "/queue/a", "receipt-id": "1"})

    client.expect_error("unknown-command", command)
