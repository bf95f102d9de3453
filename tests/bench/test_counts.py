"""What makes the broker fast, counted from the socket to the store: writes, encodings and batches."""

from __future__ import annotations

import pytest

from stompd.broker.message import Message
from stompd.session import session
from stompd.session.responses import encode_tail
from stompd.wire.frame import Version
from tests.net.site import Client, Site, frame


def send(body: str, to: str = "/queue/a", **headers: str) -> bytes:
    return frame("SEND", body.encode(), destination=to, **headers)


def subscribed(site: Site, to: str = "/queue/a", ack: str = "client-individual", version: str = "1.2") -> Client:
    """Return a client with one subscription."""
    client = site.client(version)
    client.send_frame("SUBSCRIBE", destination=to, id="s", ack=ack)
    site.run()
    return client


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The body of each message, as often as its part that all receivers share is encoded."""
    bodies: list[bytes] = []

    def note(message: Message, version: Version) -> bytes:
        bodies.append(message.body)
        return encode_tail(message, version)

    monkeypatch.setattr(session, "encode_tail", note)
    return bodies


def test_deliveries_and_receipts_of_one_turn_are_one_write_for_each_link() -> None:
    site = Site()
    clients = [subscribed(site, "/topic/a", "auto") for _ in range(3)]
    writes_before = [len(client.transport.writes) for client in clients]

    clients[0].send(b"".join(send(f"m{number}", "/topic/a", receipt=f"r{number}") for number in range(10)))
    site.run()

    assert [len(client.texts()) for client in clients] == [20, 10, 10]
    assert [len(client.transport.writes) for client in clients] == [count + 1 for count in writes_before]


def test_message_of_a_topic_is_encoded_once_for_all_links(encoded: list[bytes]) -> None:
    site = Site()
    clients = [subscribed(site, "/topic/a", "auto") for _ in range(5)]

    site.client().send(send("a", "/topic/a") + send("b", "/topic/a"))
    site.run()

    assert [client.texts() for client in clients] == [["MESSAGE a", "MESSAGE b"]] * 5
    assert encoded == [b"a", b"b"]


def test_message_of_a_topic_is_encoded_once_for_each_version(encoded: list[bytes]) -> None:
    site = Site()
    for version in ("1.0", "1.1", "1.2", "1.1", "1.2"):
        subscribed(site, "/topic/a", "auto", version)

    site.client().send(send("a", "/topic/a"))
    site.run()

    assert encoded == [b"a"] * 3


def test_message_of_a_queue_is_encoded_once_however_often_it_is_delivered(encoded: list[bytes]) -> None:
    site = Site()
    first, second = subscribed(site), subscribed(site)
    site.client().send(send("a"))
    site.run()

    first.lose()
    site.run()

    assert second.texts() == ["MESSAGE a"]
    assert encoded == [b"a"]


def test_frames_of_many_links_in_one_turn_are_one_batch() -> None:
    site = Site()
    clients = [site.client() for _ in range(5)]
    calls_before = len(site.store.calls)

    for client in clients:
        client.send(send("a") + send("b"))
    site.run()

    assert len(site.bodies()) == 10
    assert len(site.store.calls) == calls_before + 1


def test_frames_of_many_turns_while_a_batch_is_written_are_one_batch() -> None:
    site = Site()
    clients = [site.client() for _ in range(5)]

    def meanwhile() -> None:
        for client in clients:
            client.send(send("b"))
            site.turn()

    site.store.meanwhile.append(meanwhile)
    clients[0].send(send("a"))
    site.run()

    assert site.bodies() == ["a", "b", "b", "b", "b", "b"]
    assert [len(call) for call in site.store.calls] == [1, 5]


def test_acknowledgements_without_receipt_begin_no_batch_and_join_the_next_one() -> None:
    site = Site()
    consumer, producer = subscribed(site), site.client()
    producer.send(send("a") + send("b") + send("c"))
    site.run()
    tokens = [message.get("ack") for message in consumer.received()]
    calls_before = len(site.store.calls)

    for token in tokens:
        consumer.send(frame("ACK", id=token or ""))
        site.run()
    calls_meanwhile = len(site.store.calls)
    producer.send(send("d"))
    site.run()

    assert calls_meanwhile == calls_before
    assert len(site.store.calls) == calls_before + 1
    assert site.bodies() == ["d"]
