"""STOMP rules, section 1.13: DISCONNECT."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.conftest import Clients

VERSIONS = ["1.0", "1.1", "1.2"]

Contents = Callable[[str], list[str]]


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_dis_1_frames_before_disconnect_are_processed(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    sends = "".join(f"SEND\ndestination:{queue}\n\n{number}\0" for number in range(100))

    client.send(f"{sends}DISCONNECT\n\n\0".encode())

    client.expect_closed()
    assert contents(queue) == [str(number) for number in range(100)]


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_dis_2_receipt_comes_after_everything_before_it(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    sends = "".join(f"SEND\ndestination:{queue}\nreceipt:{number}\n\n{number}\0" for number in range(20))

    client.send(f"{sends}DISCONNECT\nreceipt:goodbye\n\n\0".encode())

    receipts = [client.expect("RECEIPT")["receipt-id"] for _ in range(21)]
    assert receipts == [*map(str, range(20)), "goodbye"]
    client.expect_closed()
    assert contents(queue) == [str(number) for number in range(20)]


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_dis_3_frames_behind_disconnect_are_ignored(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)

    client.send(
        f"DISCONNECT\nreceipt:goodbye\n\n\0SEND\ndestination:{queue}\nreceipt:late\n\n\0RUBBISH\nx\n\n\0".encode()
    )

    client.expect("RECEIPT", receipt_id="goodbye")
    client.expect_closed()
    assert contents(queue) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_s11_dis_4_without_a_receipt_the_connection_closes_at_once(clients: Clients, version: str) -> None:
    client = clients.connect(version)

    client.send_frame("DISCONNECT")

    client.expect_closed()
