"""STOMP rules, section 1.12: transactions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.conftest import Clients
from tests.harness.raw import RawClient

VERSIONS = ["1.0", "1.1", "1.2"]

Contents = Callable[[str], list[str]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", ["BEGIN", "COMMIT", "ABORT"])
def test_s10_tx_1_transaction_is_required(clients: Clients, version: str, command: str) -> None:
    client = clients.connect(version)

    client.send_frame(command, {"receipt": "r"})

    client.expect_error("missing-header", "transaction", command, receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_tx_2_commit_makes_everything_happen(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    taken, filled = f"{queue}-taken", f"{queue}-filled"
    client.send_message(taken, "work")
    client.subscribe(taken, ack="client-individual")
    [work] = client.expect_bodies("work")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(work, transaction="t")
    client.send_message(filled, "result 1", transaction="t")
    client.send_message(filled, "result 2", transaction="t")
    assert contents(filled) == []

    client.request("COMMIT", {"transaction": "t"})
    client.close()

    assert (contents(taken), contents(filled)) == ([], ["result 1", "result 2"])


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_tx_2_abort_makes_nothing_happen(clients: Clients, queue: str, version: str, contents: Contents) -> None:
    client = clients.connect(version)
    taken, filled = f"{queue}-taken", f"{queue}-filled"
    client.send_message(taken, "work")
    client.subscribe(taken, ack="client-individual")
    [work] = client.expect_bodies("work")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(work, transaction="t")
    client.send_message(filled, "result", transaction="t")

    client.request("ABORT", {"transaction": "t"})
    client.close()

    assert (contents(taken), contents(filled)) == (["work"], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_tx_2_frames_without_the_header_are_not_part_of_it(
    clients: Clients, queue: str, version: str, contents: Contents
) -> None:
    client = clients.connect(version)
    client.request("BEGIN", {"transaction": "t"})
    client.send_message(queue, "inside", transaction="t")

    client.send_message(queue, "outside")
    client.request("ABORT", {"transaction": "t"})

    assert contents(queue) == ["outside"]


@pytest.mark.parametrize("version", VERSIONS)
def test_s12_tx_3_begin_of_an_open_transaction_is_refused(clients: Clients, version: str) -> None:
    client = clients.connect(version)
    client.request("BEGIN", {"transaction": "twice"})

    client.send_frame("BEGIN", {"transaction": "twice", "receipt": "r"})

    client.expect_error("duplicate-transaction", "twice", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("end", ["COMMIT", "ABORT"])
def test_s12_tx_3_id_is_free_again_at_the_end(clients: Clients, version: str, end: str) -> None:
    client = clients.connect(version)
    client.request("BEGIN", {"transaction": "t"})
    client.request(end, {"transaction": "t"})

    client.request("BEGIN", {"transaction": "t"})

    client.request(end, {"transaction": "t"})


def test_s12_tx_3_ids_belong_to_their_connection(clients: Clients, queue: str, contents: Contents) -> None:
    first, second = clients.connect(), clients.connect()
    for client, body in ((first, "first"), (second, "second")):
        client.request("BEGIN", {"transaction": "same"})
        client.send_message(queue, body, transaction="same")

    first.request("COMMIT", {"transaction": "same"})
    second.request("ABORT", {"transaction": "same"})

    assert contents(queue) == ["first"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "leave",
    [RawClient.disconnect, RawClient.close, RawClient.reset, RawClient.finish_sending],
    ids=lambda way: way.__name__,
)
def test_s11_tx_4_open_transaction_is_aborted_with_its_connection(
    clients: Clients, queue: str, version: str, leave: Callable[[RawClient], None]
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "work")
    client.subscribe(queue, ack="client")
    [work] = client.expect_bodies("work")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(work, transaction="t")
    client.send_message(queue, "result", transaction="t")

    leave(client)

    other = clients.connect()
    other.subscribe(queue)
    other.expect_bodies("work")
    other.expect_nothing()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("command", ["COMMIT", "ABORT"])
def test_s10_tx_5_end_of_an_unknown_transaction_is_refused(clients: Clients, version: str, command: str) -> None:
    client = clients.connect(version)

    client.send_frame(command, {"transaction": "never-begun", "receipt": "r"})

    client.expect_error("unknown-transaction", "never-begun", receipt="r")


@pytest.mark.parametrize("version", VERSIONS)
def test_s10_tx_6_receipt_inside_a_transaction_does_not_wait_for_the_commit(
    clients: Clients, queue: str, version: str
) -> None:
    client = clients.connect(version)
    client.request("BEGIN", {"transaction": "t"})

    client.send_frame("SEND", {"destination": queue, "transaction": "t", "receipt": "accepted"}, b"text")

    client.expect("RECEIPT", receipt_id="accepted")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["client", "client-individual"])
def test_s10_tx_7_aborted_ack_leaves_the_message_with_its_consumer(
    clients: Clients, queue: str, version: str, mode: str, contents: Contents
) -> None:
    client = clients.connect(version)
    client.send_message(queue, "text")
    client.subscribe(queue, ack=mode)
    [message] = client.expect_bodies("text")
    client.request("BEGIN", {"transaction": "t"})
    client.settle(message, transaction="t")

    client.request("ABORT", {"transaction": "t"})

    client.expect_nothing()
    client.settle(message)
    client.disconnect()
    assert contents(queue) == []


def test_s10_tx_8_open_transactions_are_limited(clients: Clients) -> None:
    client = clients.connect()
    for number in range(100):
        client.request("BEGIN", {"transaction": f"t-{number}"})

    client.send_frame("BEGIN", {"transaction": "one-too-many", "receipt": "r"})

    client.expect_error("limit-exceeded", "transactions", "100", receipt="r")


def test_s10_tx_8_operations_of_a_transaction_are_limited(clients: Clients, queue: str) -> None:
    client = clients.connect()
    client.request("BEGIN", {"transaction": "t"})
    one = f"SEND\ndestination:{queue}\ntransaction:t\n\n\0".encode()

    client.send(one * 10_000)
    client.expect_nothing()
    client.send_frame("SEND", {"destination": queue, "transaction": "t", "receipt": "r"})

    client.expect_error("limit-exceeded", "transaction_operations", "10000", receipt="r")
