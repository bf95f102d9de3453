"""stomp.py: threads and listeners, in the three versions."""

from __future__ import annotations

import queue as queues
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stomp

from tests.harness.process import BrokerProcess
from tests.harness.raw import PATIENCE_SECONDS, unique_name
from tests.harness.waiting import wait_for
from tests.interop.conftest import HEART_BEAT

CONNECTIONS = {
    "1.0": stomp.StompConnection10,
    "1.1": stomp.StompConnection11,
    "1.2": stomp.StompConnection12,
}
VERSIONS = list(CONNECTIONS)

Put = Callable[..., None]
Contents = Callable[[str], list[str]]


class Recorder(stomp.ConnectionListener):  # type: ignore[misc]  # stomp.py has no types
    """Keeps what the listener methods are told."""

    def __init__(self) -> None:
        self.frames: queues.Queue[Any] = queues.Queue()
        self.heart_beats = 0
        self.has_timed_out = False
        self.disconnected = threading.Event()

    def on_connected(self, frame: Any) -> None:
        self.frames.put(frame)

    def on_message(self, frame: Any) -> None:
        self.frames.put(frame)

    def on_receipt(self, frame: Any) -> None:
        self.frames.put(frame)

    def on_error(self, frame: Any) -> None:
        self.frames.put(frame)

    def on_heartbeat(self) -> None:
        self.heart_beats += 1

    def on_heartbeat_timeout(self) -> None:
        self.has_timed_out = True

    def on_disconnected(self) -> None:
        self.disconnected.set()

    def expect(self, command: str) -> Any:
        """Return the next frame, which must be of this kind."""
        frame = self.frames.get(timeout=PATIENCE_SECONDS)
        assert frame.cmd == command, f"expected {command}, not {frame}"
        return frame

    def expect_bodies(self, *bodies: str) -> list[Any]:
        """Return the next messages, which must have these bodies."""
        frames = [self.expect("MESSAGE") for _ in bodies]
        assert [frame.body for frame in frames] == list(bodies)
        return frames


class Peer:
    """A connection of stomp.py and what it was told."""

    def __init__(
        self, broker: BrokerProcess, version: str, headers: dict[str, str] | None = None, **options: Any
    ) -> None:
        self.version = version
        self.connection = CONNECTIONS[version](
            [("127.0.0.1", broker.port)], try_loopback_connect=False, reconnect_attempts_max=1, **options
        )
        self.recorder = Recorder()
        self.connection.set_listener("recorder", self.recorder)
        self.connection.connect(wait=True, headers=headers)
        self.connected = self.recorder.expect("CONNECTED")

    def acknowledge(self, frame: Any) -> None:
        """ACK as the version wants it, and wait for nothing."""
        self.connection.ack(*self._names(frame))

    def settle(self, frame: Any, command: str = "ack", **options: Any) -> None:
        """ACK or NACK as the version wants it, and wait for the receipt."""
        method = getattr(self.connection, command)
        method(*self._names(frame), receipt="settled", **options)
        self.expect_receipt("settled")

    def _names(self, frame: Any) -> list[Any]:
        """Return what names a delivery in the version."""
        return {
            "1.0": [frame.headers["message-id"]],
            "1.1": [frame.headers["message-id"], "1"],
            "1.2": [frame.headers.get("ack")],
        }[self.version]

    def expect_receipt(self, receipt: str) -> None:
        assert self.recorder.expect("RECEIPT").headers["receipt-id"] == receipt

    def close(self) -> None:
        """Leave, and wait for the thread of stomp.py."""
        if self.connection.is_connected():
            self.connection.disconnect(receipt="closing")
        self.connection.transport.io_thread.join(PATIENCE_SECONDS)


@pytest.fixture
def connect(broker: BrokerProcess) -> Iterator[Callable[..., Peer]]:
    """Open connections, and close them when the test is over."""
    peers: list[Peer] = []

    def open_connection(version: str, **options: Any) -> Peer:
        peers.append(Peer(broker, version, **options))
        return peers[-1]

    yield open_connection
    for peer in peers:
        peer.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_connects_in_its_version(connect: Callable[..., Peer], version: str) -> None:
    peer = connect(version)

    assert peer.connected.headers["version"] == version


@pytest.mark.parametrize("version", VERSIONS)
def test_sends_and_receives(connect: Callable[..., Peer], queue: str, version: str) -> None:
    peer = connect(version)
    peer.connection.subscribe(queue, id="1", ack="auto")

    peer.connection.send(queue, "¡Hola! 漢字", content_type="text/plain", headers={"colour": "red", "note": "a\\b: c"})

    [message] = peer.recorder.expect_bodies("¡Hola! 漢字")
    assert message.headers["destination"] == queue
    assert message.headers["colour"] == "red"
    assert message.headers["content-type"] == "text/plain"
    assert message.headers["note"] == "a\\b: c"


@pytest.mark.parametrize("version", VERSIONS)
def test_send_is_receipted(connect: Callable[..., Peer], queue: str, version: str, contents: Contents) -> None:
    peer = connect(version)

    peer.connection.send(queue, "text", receipt="stored")

    peer.expect_receipt("stored")
    assert contents(queue) == ["text"]


@pytest.mark.parametrize("version", VERSIONS)
def test_auto_mode_consumes(
    connect: Callable[..., Peer], queue: str, version: str, put: Put, contents: Contents
) -> None:
    put(queue, "1", "2")
    peer = connect(version)

    peer.connection.subscribe(queue, id="1", ack="auto")

    peer.recorder.expect_bodies("1", "2")
    peer.close()
    assert contents(queue) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("mode", "left"), [("client", ["3"]), ("client-individual", ["1", "3"])])
def test_ack_settles(
    connect: Callable[..., Peer], queue: str, version: str, mode: str, left: list[str], put: Put, contents: Contents
) -> None:
    put(queue, "1", "2", "3")
    peer = connect(version)
    peer.connection.subscribe(queue, id="1", ack=mode)
    _, second, _ = peer.recorder.expect_bodies("1", "2", "3")

    peer.settle(second)

    peer.close()
    assert contents(queue) == left


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_nack_brings_the_message_again(connect: Callable[..., Peer], queue: str, version: str, put: Put) -> None:
    put(queue, "text")
    peer = connect(version)
    peer.connection.subscribe(queue, id="1", ack="client-individual")
    [message] = peer.recorder.expect_bodies("text")
    names = (
        {"id": message.headers["ack"]}
        if version == "1.2"
        else {"id": message.headers["message-id"], "subscription": "1"}
    )

    peer.connection.nack(**names)

    [again] = peer.recorder.expect_bodies("text")
    assert again.headers["redelivered"] == "true"
    assert again.headers["message-id"] == message.headers["message-id"]


@pytest.mark.parametrize("version", VERSIONS)
def test_transaction_is_committed(
    connect: Callable[..., Peer], queue: str, version: str, put: Put, contents: Contents
) -> None:
    put(queue, "work")
    peer = connect(version)
    peer.connection.subscribe(queue, id="1", ack="client")
    [work] = peer.recorder.expect_bodies("work")

    transaction = peer.connection.begin()
    peer.settle(work, transaction=transaction)
    peer.connection.send(f"{queue}-results", "result", transaction=transaction)
    peer.connection.commit(transaction, receipt="committed")

    peer.expect_receipt("committed")
    peer.close()
    assert (contents(queue), contents(f"{queue}-results")) == ([], ["result"])


@pytest.mark.parametrize("version", VERSIONS)
def test_transaction_is_aborted(
    connect: Callable[..., Peer], queue: str, version: str, put: Put, contents: Contents
) -> None:
    put(queue, "work")
    peer = connect(version)
    peer.connection.subscribe(queue, id="1", ack="client")
    [work] = peer.recorder.expect_bodies("work")

    transaction = peer.connection.begin()
    peer.settle(work, transaction=transaction)
    peer.connection.send(f"{queue}-results", "result", transaction=transaction)
    peer.connection.abort(transaction, receipt="aborted")

    peer.expect_receipt("aborted")
    peer.close()
    assert (contents(queue), contents(f"{queue}-results")) == (["work"], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_unsubscribe_ends_the_messages(
    connect: Callable[..., Peer], queue: str, version: str, put: Put, contents: Contents
) -> None:
    peer = connect(version)
    peer.connection.subscribe(queue, id="1", ack="auto")

    peer.connection.unsubscribe(id="1", receipt="unsubscribed")

    peer.expect_receipt("unsubscribed")
    put(queue, "text")
    assert contents(queue) == ["text"]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_heart_beats_are_kept(connect: Callable[..., Peer], queue: str, version: str, put: Put) -> None:
    peer = connect(version, heartbeats=(HEART_BEAT, HEART_BEAT), heart_beat_receive_scale=3)

    # Ten intervals are more than the broker would wait for a client that does not beat.
    wait_for(lambda: peer.recorder.heart_beats >= 20, "twenty heart-beats have come")

    assert not peer.recorder.has_timed_out
    assert not peer.recorder.disconnected.is_set()
    peer.connection.subscribe(queue, id="1")
    put(queue, "still connected")
    peer.recorder.expect_bodies("still connected")


@pytest.mark.parametrize("version", VERSIONS)
def test_disconnect_is_receipted(connect: Callable[..., Peer], version: str) -> None:
    peer = connect(version)

    peer.connection.disconnect(receipt="goodbye")

    peer.expect_receipt("goodbye")
    assert peer.recorder.disconnected.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("version", VERSIONS)
def test_error_reaches_the_listener_before_the_close(connect: Callable[..., Peer], version: str) -> None:
    peer = connect(version)

    peer.connection.send("/nowhere/x", "text", receipt="refused")

    error = peer.recorder.expect("ERROR")
    assert error.headers["error-code"] == "invalid-destination"
    assert error.headers["receipt-id"] == "refused"
    assert peer.recorder.disconnected.wait(PATIENCE_SECONDS)


#: How the clients of other brokers spell a durable subscription: the headers of CONNECT and of SUBSCRIBE.
DIALECTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "activemq": ({"client-id": "interop"}, {"activemq.subscriptionName": "feed"}),
    "artemis": ({"client-id": "interop"}, {"durable-subscription-name": "feed"}),
    "artemis before": ({"client-id": "interop"}, {"durable-subscriber-name": "feed"}),
    "rabbitmq": ({}, {"durable": "true", "auto-delete": "false"}),
    "rabbitmq by name": ({}, {"x-queue-name": "feed", "durable": "true", "auto-delete": "false"}),
    "apollo": ({}, {"persistent": "true"}),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_durable_subscription_in_the_words_of_other_brokers(
    connect: Callable[..., Peer], put: Put, version: str, dialect: str
) -> None:
    topic = unique_name("/topic/interop")
    login, headers = DIALECTS[dialect]
    first = connect(version, headers=login)
    first.connection.subscribe(topic, id="feed", headers={**headers, "receipt": "subscribed"})
    first.expect_receipt("subscribed")
    first.close()
    put(topic, "a", "b")

    second = connect(version, headers=login)
    second.connection.subscribe(topic, id="feed", headers=headers)
    second.recorder.expect_bodies("a", "b")
    second.connection.unsubscribe(id="feed", headers={**headers, "receipt": "deleted"})
    second.expect_receipt("deleted")
    put(topic, "c")
    second.connection.subscribe(topic, id="feed", headers={**headers, "receipt": "again"})

    assert second.recorder.expect("RECEIPT").headers["pending"] == "0"


@pytest.mark.parametrize("version", VERSIONS)
def test_virtual_topic_of_activemq(connect: Callable[..., Peer], put: Put, version: str) -> None:
    name = unique_name("VirtualTopic.interop")
    peer = connect(version)
    peer.connection.subscribe(f"/queue/Consumer.billing.{name}", id="1", headers={"receipt": "subscribed"})
    peer.expect_receipt("subscribed")

    put(f"/topic/{name}", "a", "b")

    peer.recorder.expect_bodies("a", "b")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("is_explicit", [True, False], ids=["ActiveMQ's style", "RabbitMQ's style"])
def test_replies_reach_a_temporary_queue(
    connect: Callable[..., Peer], queue: str, version: str, is_explicit: bool
) -> None:
    server, client = connect(version), connect(version)
    server.connection.subscribe(queue, id="1", ack="auto", receipt="subscribed")
    server.expect_receipt("subscribed")
    if is_explicit:
        client.connection.subscribe("/temp-queue/replies", id="/temp-queue/replies", ack="auto")
    client.connection.send(queue, "request", headers={"reply-to": "/temp-queue/replies"})

    [request] = server.recorder.expect_bodies("request")
    server.connection.send(request.headers["reply-to"], "reply")

    [reply] = client.recorder.expect_bodies("reply")
    assert reply.headers["subscription"] == "/temp-queue/replies"
