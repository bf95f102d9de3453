"""Destinations: values, their text, and how brokers spell them."""

from __future__ import annotations

import pickle

import pytest

from jms_api import Destination, InvalidDestinationException, Queue, TemporaryQueue, TemporaryTopic, TextMessage, Topic
from jms_api.destinations import as_destination, parse_destination
from jms_api.mapping import destination_headers, from_frame, needs_length, read_destination, spell, to_frame_parts
from jms_api.profiles import ACTIVEMQ, ARTEMIS, PROFILES, RABBITMQ, STOMPD, Profile

ALL = [Queue("a"), Topic("a"), TemporaryQueue("a"), TemporaryTopic("a")]


@pytest.mark.jms("Queue.queue_name", "Topic.topic_name", "Destination")
def test_destination_has_a_name() -> None:
    assert Queue("orders").queue_name == "orders"
    assert Topic("prices").topic_name == "prices"
    assert TemporaryQueue("1").queue_name == "1"
    assert TemporaryTopic("1").topic_name == "1"


@pytest.mark.jms("Queue.__str__", "Topic.__str__")
@pytest.mark.parametrize("destination", ALL, ids=str)
def test_destination_is_read_from_its_text(destination: Destination) -> None:
    assert parse_destination(str(destination)) == destination
    assert as_destination(str(destination)) == as_destination(destination) == destination


def test_destination_shows_its_kind() -> None:
    assert repr(TemporaryQueue("a")) == "TemporaryQueue('a')"


def test_destinations_are_equal_by_kind_and_name() -> None:
    assert len(set(ALL)) == 4
    assert Queue("a") == Queue("a") != Queue("b")
    assert {Queue("a"): 1}[Queue("a")] == 1
    assert Queue("a") != "queue:a"


def test_temporary_destinations_are_queues_and_topics() -> None:
    assert isinstance(TemporaryQueue("a"), Queue)
    assert isinstance(TemporaryTopic("a"), Topic)


def test_destination_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Queue("a").queue_name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Queue("a").other = "b"  # type: ignore[attr-defined]


def test_destination_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(TemporaryQueue("a"))) == TemporaryQueue("a")


@pytest.mark.parametrize("name", ["", None, 5, b"a", "a\0", "\ud800"])
def test_destination_needs_a_name(name: object) -> None:
    with pytest.raises(InvalidDestinationException):
        Queue(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "orders", "queue:", "/queue/orders", "exchange:a", None, 5])
def test_what_is_no_destination_is_refused(text: object) -> None:
    with pytest.raises(InvalidDestinationException):
        as_destination(text)


@pytest.mark.jms("TemporaryQueue.delete", "TemporaryTopic.delete")
@pytest.mark.parametrize("kind", [TemporaryQueue, TemporaryTopic])
def test_temporary_destination_is_deleted_by_its_connection(kind: type[TemporaryQueue]) -> None:
    deleted: list[str] = []

    kind("a", lambda: deleted.append("a")).delete()

    assert deleted == ["a"]


@pytest.mark.parametrize("kind", [TemporaryQueue, TemporaryTopic])
def test_temporary_destination_of_another_connection_is_not_deleted(kind: type[TemporaryQueue]) -> None:
    with pytest.raises(InvalidDestinationException):
        kind("a").delete()


@pytest.mark.parametrize("profile", [profile for profile in PROFILES.values() if profile is not ARTEMIS])
@pytest.mark.parametrize("destination", ALL, ids=str)
def test_jms_004_destination_comes_back_as_what_it_was(destination: Destination, profile: Profile) -> None:
    assert read_destination(spell(destination, profile), profile) == destination


@pytest.mark.parametrize(
    ("destination", "text"),
    [
        (Queue("a/b"), "/queue/a/b"),
        (Topic("a"), "/topic/a"),
        (TemporaryQueue("a"), "/temp-queue/a"),
        (TemporaryTopic("a"), "/temp-topic/a"),
        (Queue("/exchange/logs/info"), "/exchange/logs/info"),
    ],
)
def test_destination_is_spelled_with_a_prefix(destination: Destination, text: str) -> None:
    assert spell(destination, STOMPD) == text


def test_slashes_in_names_are_quoted_for_rabbitmq() -> None:
    assert spell(Queue("a/b%c"), RABBITMQ) == "/queue/a%2Fb%25c"
    assert read_destination("/queue/a%2Fb%25c", RABBITMQ) == Queue("a/b%c")


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("queue://a", Queue("a")),
        ("temp-topic://a", TemporaryTopic("a")),
        ("/remote-temp-queue/ID:x", TemporaryQueue("/remote-temp-queue/ID:x")),
        ("/reply-queue/amq.gen", TemporaryQueue("/reply-queue/amq.gen")),
        ("/exchange/logs", Queue("/exchange/logs")),
        ("/queue/", Queue("/queue/")),
        ("/queue//x", Queue("/queue//x")),
        ("plain", Queue("plain")),
        ("", None),
        ("/queue/a\0", None),
        (None, None),
    ],
)
def test_destination_is_read_however_it_is_spelled(text: str | None, destination: Destination | None) -> None:
    assert read_destination(text, ACTIVEMQ) == destination


def test_name_that_cannot_be_decoded_stays_as_it_is() -> None:
    assert read_destination("/queue/a%00", RABBITMQ) == Queue("/queue/a%00")


def test_kinds_are_told_to_artemis_in_headers() -> None:
    assert destination_headers(Topic("a"), ARTEMIS) == {"destination": "a", "destination-type": "MULTICAST"}
    assert destination_headers(Queue("a"), ARTEMIS, is_subscription=True) == {
        "destination": "a",
        "subscription-type": "ANYCAST",
    }
    assert destination_headers(Queue("a"), STOMPD) == {"destination": "/queue/a"}


def test_jms_016_answers_to_a_temporary_queue_come_back_to_one() -> None:
    message = TextMessage("x")
    message.jms_reply_to = TemporaryQueue("s-1")
    headers, body = to_frame_parts(message, STOMPD)

    assert from_frame(headers, body, STOMPD).jms_reply_to == TemporaryQueue("s-1")


@pytest.mark.parametrize(("profile", "expected"), [(STOMPD, True), (RABBITMQ, True), (ACTIVEMQ, False)])
def test_text_goes_without_a_length_where_that_would_make_it_octets(profile: Profile, expected: bool) -> None:
    headers, _ = to_frame_parts(TextMessage("x"), profile)

    assert needs_length(headers, profile) is expected
