"""stompest: the synchronous client, in the three versions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stompest.config import StompConfig
from stompest.error import StompConnectionError
from stompest.protocol import StompSpec
from stompest.sync import Stomp

from tests.harness.process import BrokerProcess
from tests.harness.raw import PATIENCE_SECONDS
from tests.interop.conftest import HEART_BEAT

VERSIONS = ["1.0", "1.1", "1.2"]

Put = Callable[..., None]
Contents = Callable[[str], list[str]]


class Peer:
    """A client of stompest."""

    def __init__(self, broker: BrokerProcess, version: str, **options: Any) -> None:
        self.client = Stomp(StompConfig(f"tcp://127.0.0.1:{broker.port}", version=version))
        self.client.connect(
            versions=[version], connectTimeout=PATIENCE_SECONDS, connectedTimeout=PATIENCE_SECONDS, **options
        )

    def expect(self, command: str) -> Any:
        """Return the next frame, which must be of this kind."""
        assert self.client.canRead(PATIENCE_SECONDS), f"no {command} came"
        frame = self.client.receiveFrame()
        assert frame.command == command, f"expected {command}, not {frame}"
        return frame

    def expect_bodies(self, *bodies: bytes) -> list[Any]:
        """Return the next messages, which must have these bodies."""
        frames = [self.expect("MESSAGE") for _ in bodies]
        assert [frame.body for frame in frames] == list(bodies)
        return frames

    def expect_receipt(self, receipt: str) -> None:
        assert self.expect("RECEIPT").headers[StompSpec.RECEIPT_ID_HEADER] == receipt

    def subscribe(self, queue: str, mode: str) -> Any:
        return self.client.subscribe(queue, {StompSpec.ACK_HEADER: mode, StompSpec.ID_HEADER: "1"})


@pytest.fixture
def connect(broker: BrokerProcess) -> Iterator[Callable[..., Peer]]:
    """Open connections, and close them when the test is over."""
    peers: list[Peer] = []

    def open_connection(version: str, **options: Any) -> Peer:
        peers.append(Peer(broker, version, **options))
        return peers[-1]

    yield open_connection
    for peer in peers:
        peer.client.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_connects_in_its_version(connect: Callable[..., Peer], version: str) -> None:
    peer = connect(version)

    assert peer.client.session.version == version
    assert peer.client.session.id


@pytest.mark.parametrize("version", VERSIONS)
def test_sends_and_receives(connect: Callable[..., Peer], queue: str, version: str) -> None:
    peer = connect(version)
    token = peer.subscribe(queue, "auto")

    # It writes headers of 1.0 in ASCII.
    note = "plain" if version == "1.0" else "größe: a\\b"
    peer.client.send(queue, b"\xa1binary\xff", {"colour": "red", "note": note})

    [message] = peer.expect_bodies(b"\xa1binary\xff")
    assert peer.client.message(message) == token
    assert (message.headers["colour"], message.headers["note"]) == ("red", note)


@pytest.mark.parametrize("version", VERSIONS)
def test_send_is_receipted(connect: Callable[..., Peer], queue: str, version: str, contents: Contents) -> None:
    peer = connect(version)

    peer.client.send(queue, b"text", receipt="stored")

    peer.expect_receipt("stored")
    assert contents(queue) == ["text"]


@pytest.mark.parametrize("version", VERSIONS)
def test_auto_mode_consumes(
    connect: Callable[..., Peer], queue: str, version: str, put: Put, contents: Contents
) -> None:
    put(queue, "1", "2")
    peer = connect(version)

    peer.subscribe(queue, "auto")

    peer.expect_bodies(b"1", b"2")
    peer.client.close()
    assert contents(queue) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("mode", "left"), [("client", ["3"]), ("client-individual", ["1", "3"])])
def test_ack_settles(
    connect: Callable[..., Peer], queue: str, version: str, mode: str, left: list[str], put: Put, contents: Contents
) -> None:
    put(queue, "1", "2", "3")
    peer = connect(version)
    peer.subscribe(queue, mode)
    _, second, _ = peer.expect_bodies(b"1", b"2", b"3")

    peer.client.ack(second, receipt="settled")

    peer.expect_receipt("settled")
    peer.client.close()
    assert contents(queue) == left


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_nack_brings_the_message_again(connect: Callable[..., Peer], queue: str, version: str, put: Put) -> None:
    put(queue, "text")
    peer = connect(version)
    peer.subscribe(queue, "client-individual")
    [message] = peer.expect_bodies(b"text")

    peer.client.nack(message)

    [again] = peer.expect_bodies(b"text")
    assert again.headers["redelivered"] == "true"


def work_in_a_transaction(peer: Peer, transaction: str, work: Any, results: str) -> None:
    """Acknowledge a message and send another, both in a transaction."""
    peer.expect_receipt("tx-begin")
    work.unraw()
    work.headers[StompSpec.TRANSACTION_HEADER] = transaction
    peer.client.ack(work, receipt="acknowledged")
    peer.expect_receipt("acknowledged")
    peer.client.send(results, b"result", {StompSpec.TRANSACTION_HEADER: transaction})


@pytest.mark.parametrize("version", VERSIONS)
def test_transaction_is_committed(
    connect: Callable[..., Peer], queue: str, version: str, put: Put, contents: Contents
) -> None:
    put(queue, "work")
    peer = connect(version)
    peer.subscribe(queue, "client")
    [work] = peer.expect_bodies(b"work")

    with peer.client.transaction(receipt="tx") as transaction:
        work_in_a_transaction(peer, transaction, work, f"{queue}-results")

    peer.expect_receipt("tx-commit")
    peer.client.close()
    assert (contents(queue), contents(f"{queue}-results")) == ([], ["result"])


@pytest.mark.parametrize("version", VERSIONS)
def test_transaction_is_aborted(
    connect: Callable[..., Peer], queue: str, version: str, put: Put, contents: Contents
) -> None:
    put(queue, "work")
    peer = connect(version)
    peer.subscribe(queue, "client")
    [work] = peer.expect_bodies(b"work")

    with contextlib.suppress(ZeroDivisionError), peer.client.transaction(receipt="tx") as transaction:
        work_in_a_transaction(peer, transaction, work, f"{queue}-results")
        raise ZeroDivisionError

    peer.expect_receipt("tx-abort")
    peer.client.close()
    assert (contents(queue), contents(f"{queue}-results")) == (["work"], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_unsubscribe_ends_the_messages(
    connect: Callable[..., Peer], queue: str, version: str, put: Put, contents: Contents
) -> None:
    peer = connect(version)
    token = peer.subscribe(queue, "auto")

    peer.client.unsubscribe(token, receipt="unsubscribed")

    peer.expect_receipt("unsubscribed")
    put(queue, "text")
    assert contents(queue) == ["text"]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_heart_beats_are_kept(connect: Callable[..., Peer], queue: str, version: str, put: Put) -> None:
    peer = connect(version, heartBeats=(HEART_BEAT, HEART_BEAT))
    client = peer.client
    assert (client.clientHeartBeat, client.serverHeartBeat) == (HEART_BEAT, HEART_BEAT)
    received: set[float] = set()

    # Ten intervals are more than the broker would wait for a client that does not beat.
    while len(received) < 20:
        assert not client.canRead(HEART_BEAT / 2 / 1000)
        received.add(client.lastReceived)
        client.beat()
        assert client.lastSent - client.lastReceived < 3 * HEART_BEAT / 1000, "the broker's heart-beats stay away"

    peer.subscribe(queue, "auto")
    put(queue, "still connected")
    peer.expect_bodies(b"still connected")


@pytest.mark.parametrize("version", VERSIONS)
def test_disconnect_is_receipted(connect: Callable[..., Peer], version: str) -> None:
    peer = connect(version)

    peer.client.disconnect(receipt="goodbye")

    peer.expect_receipt("goodbye")
    with pytest.raises(StompConnectionError):
        peer.client.canRead(PATIENCE_SECONDS)


@pytest.mark.parametrize("version", VERSIONS)
def test_error_can_be_read_before_the_close(connect: Callable[..., Peer], version: str) -> None:
    peer = connect(version)

    peer.client.send("/nowhere/x", b"text", receipt="refused")

    error = peer.expect("ERROR")
    assert (error.headers["error-code"], error.headers["receipt-id"]) == ("invalid-destination", "refused")
