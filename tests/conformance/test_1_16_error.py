"""STOMP rules, section 1.16: ERROR, the close behind it, and unknown commands."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Clients

VERSIONS = ["1.0", "1.1", "1.2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_err_1_fault_of_the_client_gets_an_error(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("BEGIN")

    client.expect("ERROR", error_code="missing-header")


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_err_2_connection_is_closed_behind_an_error(clients: Clients, queue: str, version: str) -> None:
    client = clients.connect(version)

    client.send(f"BEGIN\n\n\0SEND\ndestination:{queue}\nreceipt:too-late\n\n\0".encode())

    client.expect("ERROR")
    client.expect_closed()


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_err_3_message_header_is_short_and_the_body_has_the_detail(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("BEGIN")

    error = client.expect_error("missing-header", "transaction")
    assert 0 < len(error["message"]) <= 100
    assert "\n" not in error["message"]
    assert len(error.body) > len("transaction")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_err_4_error_names_the_receipt_of_the_frame_at_fault(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("COMMIT", {"transaction": "unknown", "receipt": "mine: größe"})

    client.expect_error("unknown-transaction", receipt="mine: größe")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_err_4_malformed_frame_with_a_readable_receipt_is_named_too(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send(b"SEND\nreceipt:mine\ndestination:/queue/a\nno colon here\n\n\0")

    client.expect_error("malformed-frame", receipt="mine")


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_err_5_error_has_content_type_and_content_length(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("BEGIN")

    error = client.expect("ERROR")
    assert error["content-type"].startswith("text/plain")
    assert int(error["content-length"]) == len(error.body) > 0


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_lng_1_error_can_be_read_by_a_client_that_is_still_sending(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    # An abrupt close with unread input would answer with an RST, and the ERROR would be lost.
    client.send(b"RUBBISH\n\n\0" + b"SEND\ndestination:/queue/a\n\nmore\0" * 50_000)

    client.expect_error("unknown-command", "RUBBISH")


def test_s12_lng_1_client_that_never_closes_is_cut_off(clients: Clients) -> None:
    client = clients.connect()
    client.send(b"RUBBISH\n\n\0")
    client.expect_error("unknown-command")

    # The broker waits a few seconds for the client's own close, and no longer.
    client.wait_until_cut_off()


def test_s12_lng_1_last_receipt_can_be_read_by_a_client_that_is_still_sending(clients: Clients) -> None:
    client = clients.connect()

    client.send(b"DISCONNECT\nreceipt:goodbye\n\n\0" + b"SEND\ndestination:/queue/a\n\nmore\0" * 50_000)

    client.expect("RECEIPT", receipt_id="goodbye")
    client.expect_closed()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", ["HELLO", "GET / HTTP/1.1", "SEND ", " SEND", "\x16\x03\x01"])
def test_s11_unk_1_unknown_command_is_refused(clients: Clients, version: str, command: str) -> None:
    client = clients.connect(version)

    client.send(f"{command}\nreceipt:r\n\n\0".encode())

    client.expect_error("unknown-command", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", ["SUB", "UNSUB", "SENDX", "SEN", "ACKNOWLEDGE", "STOMPED"])
def test_s11_unk_2_command_is_matched_exactly(clients: Clients, queue: str, version: str, command: str) -> None:
    client = clients.connect(version)

    client.send_frame(command, {"destination": queue, "id": "1"})

    client.expect_error("unknown-command", command)


@pytest.mark.parametrize(
    ("mistyped", "meant"), [("SENDX", "SEND"), ("SUBSCRIBED", "SUBSCRIBE"), ("COMIT", "COMMIT"), ("begin", "BEGIN")]
)
def test_s11_unk_2_error_asks_whether_another_command_was_meant(clients: Clients, mistyped: str, meant: str) -> None:
    client = clients.connect()

    client.send_frame(mistyped)

    error = client.expect_error("unknown-command", mistyped)
    assert meant in error.body.decode().replace(mistyped, "")
