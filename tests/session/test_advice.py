"""Warnings: headers without effect are named in the answer to their frame."""

from __future__ import annotations

import pytest

from stompd.errors import MissingHeader
from stompd.session.advice import ODD_SEND_HEADERS, advise
from stompd.session.dialect import HEADERS
from stompd.session.headers import DROPPED
from stompd.session.inspecting import ACTION, JOB, MANAGEMENT
from stompd.session.session import Session
from stompd.wire.frame import Frame
from tests.session.peer import NOW, connected, frame, new_session, read, request

SEND = {"destination": "/queue/a"}
SUBSCRIBE = {"destination": "/queue/a", "id": "1"}


def warning(session: Session, command: str, headers: dict[str, str], body: bytes = b"") -> str | None:
    """Let a session take a frame with a receipt, and return what the RECEIPT warns of."""
    session.receive_frame(frame(command, {**headers, "receipt": "r"}, body), NOW)
    return read(session.receipt("r", {})).headers.get("warning")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("persistant", "true", "persistant has no effect (did you mean persistent?)"),
        ("Persistent", "true", "Persistent has no effect (did you mean persistent?)"),
        ("JMSPriority", "7", "JMSPriority has no effect (did you mean priority?)"),
        ("reply_to", "/queue/b", "reply_to has no effect (did you mean reply-to?)"),
        ("replyTo", "/queue/b", "replyTo has no effect (did you mean reply-to?)"),
        ("reciept", "1", "reciept has no effect (did you mean receipt?)"),
        *[
            (name, "1", f"{name} has no effect (did you mean {meant}?)")
            for name, meant in (
                ("TTL", "ttl"),
                ("Ttl", "ttl"),
                ("delai", "delay"),
                ("AMQ_SCHEDULED_DELEY", "AMQ_SCHEDULED_DELAY"),
                ("JMSXGroupid", "JMSXGroupID"),
                ("_AMQ_DUPL_Id", "_AMQ_DUPL_ID"),
                ("deliveryMode", "persistent"),
                ("delivery_mode", "persistent"),
                ("JMSDeliveryTime", "AMQ_SCHEDULED_TIME"),
                ("JMSTimestamp", "timestamp"),
            )
        ],
        ("exclusive", "true", "exclusive has no effect (it belongs to SUBSCRIBE)"),
        ("client-id", "a", "client-id has no effect (it belongs to CONNECT)"),
        ("requeue", "no", "requeue has no effect (it belongs to NACK)"),
        (
            "include-seq",
            "seq",
            "include-seq has no effect"
            " (messages of topics that keep them have seq, and message-id rises from one to the next)",
        ),
        ("JMSXGroupSeq", "1", "JMSXGroupSeq has no effect (there is no JMSXGroupID)"),
        ("durable", "true", "durable has no effect (did you mean persistent?)"),
        ("prefetch-count", "1", "prefetch-count has no effect (it belongs to SUBSCRIBE)"),
        ("activemq.prefetchSize", "1", "activemq.prefetchSize has no effect (it belongs to SUBSCRIBE)"),
        ("selector", "a = 1", "selector has no effect (it belongs to SUBSCRIBE)"),
        ("redelivered", "true", "redelivered is dropped (only the broker says this)"),
        ("x-max-length", "9", "x-max-length has no effect (what a queue holds and how long is set by the operator)"),
        ("transformation", "jms-map-json", "transformation has no effect (bodies are passed on as they were sent)"),
    ],
)
def test_odd_header_of_send_is_named(name: str, value: str, expected: str) -> None:
    assert warning(connected(), "SEND", {**SEND, name: value}) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            (name, "x")
            for name in (
                "colour",
                "id",
                "host",
                "tl",
                "x-request",
                "message_id",
                "JMSXAppID",
                "version",
                "login",
                "Type",
                "x",
            )
        ],
        ("persistent", "false"),
        ("expiration", "1000"),
        ("amq-msg-type", "text"),
        ("message-id", "1"),
        ("content-type", "text/plain"),
        ("auto-delete", "false"),
        ("x-queue-type", "quorum"),
    ],
)
def test_header_of_send_that_counts_or_is_the_senders_is_not(name: str, value: str) -> None:
    assert warning(connected(), "SEND", {**SEND, name: value}) is None


@pytest.mark.parametrize("name", ["JMSXGroupID", "JMSXGroupId", "message_group", "_AMQ_GROUP_ID"])
def test_sequence_beside_its_group_is_not_named(name: str) -> None:
    assert warning(connected(), "SEND", {**SEND, name: "g", "JMSXGroupSeq": "1"}) is None


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"exclusive": "true"}, "exclusive"),
        ({"x-priority": "3"}, "x-priority"),
        ({"exclusive": "true", "consumer-priority": "3"}, "exclusive and consumer-priority"),
    ],
)
def test_rank_among_the_subscriptions_of_a_topic_is_named(headers: dict[str, str], named: str) -> None:
    said = warning(connected(), "SUBSCRIBE", {"destination": "/topic/a", "id": "1", **headers})

    assert said == f"{named} without effect (each subscription of a topic gets everything)"


@pytest.mark.parametrize(
    "headers",
    [
        {"destination": "/queue/a", "exclusive": "true"},
        {"destination": "/topic/a", "exclusive": "false", "consumer-priority": "0"},
        {"destination": "/topic/a", "exclusive": "true", "subscription-group": "g"},
        {"destination": "/queue/a,/topic/a", "exclusive": "true"},
    ],
)
def test_rank_that_counts_or_is_none_is_not_named(headers: dict[str, str]) -> None:
    assert warning(connected(), "SUBSCRIBE", {"id": "1", **headers}) is None


@pytest.mark.parametrize("destination", ["/queue/Consumer.G.plain", "queue://Consumer.G.a.b"])
def test_queue_that_looks_like_a_group_is_named(destination: str) -> None:
    said = warning(connected(), "SUBSCRIBE", {"id": "1", "destination": destination}) or ""

    assert said.startswith("the destination is a queue like others (only Consumer.GROUP.VirtualTopic.NAME is a group")


@pytest.mark.parametrize("name", ["Consumer.G.VirtualTopic.T", "Consumer.G", "Consumers.G.T", "a.Consumer.G.T"])
def test_other_queues_are_not_named(name: str) -> None:
    assert warning(connected(), "SUBSCRIBE", {"id": "1", "destination": f"/queue/{name}"}) is None


def test_odd_header_of_send_is_passed_on() -> None:
    sent = request("SEND", {**SEND, "persistant": "true"})

    assert sent.message.headers == {"persistant": "true"}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(DROPPED))
def test_header_that_only_the_broker_says_is_dropped_with_a_warning(name: str) -> None:
    sent = request("SEND", {**SEND, name: "forged", "receipt": "r"})

    assert sent.message.headers == {}  # type: ignore[union-attr]
    assert advise(Frame("SEND", {**SEND, name: "forged"})) == f"{name} is dropped (only the broker says this)"


def test_header_that_names_what_is_to_be_cancelled_is_not_warned_of() -> None:
    headers = {"destination": MANAGEMENT, ACTION: "REMOVE", JOB: "17"}

    assert advise(Frame("SEND", headers)) == ""


def test_send_without_odd_headers_is_plain() -> None:
    known = {name for header in HEADERS["SEND"] for name in (header.name, *header.aliases)}

    assert ODD_SEND_HEADERS & known == {"JMSXGroupSeq", "scheduledJobId"}
    assert request("SEND", {**SEND, "colour": "red"}).is_plain  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("command", "headers", "expected"),
    [
        ("SUBSCRIBE", {"prefetch_count": "1"}, "prefetch_count is ignored (did you mean prefetch-count?)"),
        ("SUBSCRIBE", {"prefetchSize": "1"}, "prefetchSize is ignored (did you mean prefetch-count?)"),
        *[
            ("SUBSCRIBE", {name: "x"}, f"{name} is ignored (did you mean {meant}?)")
            for name, meant in (
                ("Ack", "ack"),
                ("ID", "id"),
                ("selektor", "selector"),
                ("prefetch_size", "prefetch-count"),
                ("x-prefetch-count", "prefetch-count"),
                ("subscriptionName", "durable-subscription-name"),
                ("retro-active", "retroactive"),
            )
        ],
        ("SUBSCRIBE", {"selctor": "a"}, "selctor is ignored (did you mean selector?)"),
        ("SUBSCRIBE", {"ttl": "5"}, "ttl is ignored (it belongs to SEND)"),
        ("SUBSCRIBE", {"x-message-ttl": "5"}, "x-message-ttl is ignored (the sender decides, with ttl on SEND)"),
        ("SUBSCRIBE", {"auto-delete": "true"}, "auto-delete is ignored (queues come and go by themselves)"),
        (
            "SUBSCRIBE",
            {"activemq.dispatchAsync": "true"},
            "activemq.dispatchAsync is ignored (an option of ActiveMQ that this broker has no need of)",
        ),
        ("SUBSCRIBE", {"colour": "red"}, "colour is ignored (SUBSCRIBE has no such header)"),
        ("BEGIN", {"transaction": "t", "ttl": "5"}, "ttl is ignored (it belongs to SEND)"),
        ("DISCONNECT", {"reason": "x"}, "reason is ignored (DISCONNECT has no such header)"),
    ],
)
def test_odd_header_of_another_frame_is_named(command: str, headers: dict[str, str], expected: str) -> None:
    others = SUBSCRIBE if command == "SUBSCRIBE" else {}

    assert warning(connected(), command, {**others, **headers}) == expected


@pytest.mark.parametrize(
    ("command", "headers"),
    [
        ("SUBSCRIBE", {**SUBSCRIBE, "ack": "client", "credit": "5", "content-length": "0"}),
        ("SUBSCRIBE", {**SUBSCRIBE, "auto-delete": "false", "durable": "true"}),
        ("UNSUBSCRIBE", {"id": "1", "destination": "/queue/a"}),
        ("ACK", {"id": "7-1-1", "message-id": "1", "subscription": "1"}),
        ("COMMIT", {"transaction": "t"}),
    ],
)
def test_headers_that_count_are_not(command: str, headers: dict[str, str]) -> None:
    assert warning(connected(), command, headers) is None


def test_body_where_none_belongs_is_named() -> None:
    assert warning(connected(), "SUBSCRIBE", SUBSCRIBE, b"x") == "the body is ignored (SUBSCRIBE has none)"


def test_several_headers_are_named_together() -> None:
    said = warning(connected(), "SUBSCRIBE", {**SUBSCRIBE, "ttl": "1", "a": "b"})

    assert said == "ttl is ignored (it belongs to SEND); a is ignored (SUBSCRIBE has no such header)"


def test_warning_is_bounded() -> None:
    headers = {f"{number}{'x' * 10_000}": "" for number in range(100)}

    text = advise(Frame("SUBSCRIBE", headers))

    assert len(text) < 1_200
    assert text.endswith("; and 92 more")


def test_warning_repeats_no_value() -> None:
    assert "s3cret" not in advise(Frame("CONNECT", {"password": "s3cret", "Authorization": "s3cret"}))


def test_warnings_go_to_their_receipts() -> None:
    session = connected()
    for receipt, name in (("1", "colour"), ("2", "persistant"), ("3", "priorty")):
        session.receive_frame(frame("SEND", {**SEND, name: "1", "receipt": receipt}), NOW)

    said = [read(session.receipt(receipt, {"a": "b"})).headers.get("warning", "") for receipt in "123"]

    assert [text.partition(" ")[0] for text in said] == ["", "persistant", "priorty"]


def test_warning_is_given_once() -> None:
    session = connected()
    session.receive_frame(frame("SEND", {**SEND, "persistant": "1", "receipt": "r"}), NOW)
    session.receipt("r", {})

    assert "warning" not in read(session.receipt("r", {})).headers


@pytest.mark.parametrize("is_soft", [True, False])
def test_warning_goes_with_the_error_of_its_frame(is_soft: bool) -> None:
    session = connected()
    session.receive_frame(frame("SUBSCRIBE", {**SUBSCRIBE, "ttl": "1", "receipt": "r"}), NOW)
    error = MissingHeader("x")

    answer = read(session.soft_error(error, "r") if is_soft else session.error(error, "r"))

    assert answer.headers["warning"] == "ttl is ignored (it belongs to SEND)"


def test_first_warning_without_a_receipt_is_left_to_the_log() -> None:
    session = connected()
    for name in ("persistant", "priorty"):
        session.receive_frame(frame("SEND", {**SEND, name: "1"}), NOW)

    assert session.advice == "persistant has no effect (did you mean persistent?)"


def test_session_advises_the_log_once() -> None:
    session = connected()
    session.receive_frame(frame("SEND", {**SEND, "persistant": "1"}), NOW)
    session.advice = ""

    session.receive_frame(frame("SEND", {**SEND, "persistant": "1"}), NOW)

    assert session.advice == ""


def test_warnings_that_wait_are_bounded() -> None:
    session = connected()
    for number in range(1_001):
        session.receive_frame(frame("SEND", {**SEND, "persistant": "1", "receipt": str(number)}), NOW)

    assert "warning" in read(session.receipt("999", {})).headers
    assert "warning" not in read(session.receipt("1000", {})).headers
    assert session.advice


def test_missing_header_that_is_misspelt_is_named_in_the_error() -> None:
    with pytest.raises(MissingHeader) as caught:
        request("SEND", {"Destination": "/queue/a"})

    assert caught.value.detail.endswith("Destination has no effect (did you mean destination?)")


@pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_connected_names_what_connect_has_in_vain(command: str, version: str) -> None:
    session = new_session()
    headers = {
        "accept-version": version,
        "ack": "client",
        "username": "x",
        "receipt": "r",
        "activemq.useCompression": "",
    }

    session.receive_frame(frame(command, headers), NOW)

    said = read(session.accepted("alice", NOW), None).headers["warning"].split("; ")
    assert said == [
        "ack is ignored (it belongs to SUBSCRIBE)",
        "username is ignored (did you mean login?)",
        "receipt is ignored (CONNECTED is the answer to CONNECT)",
        "activemq.useCompression is ignored (an option of ActiveMQ that this broker has no need of)",
    ]


def test_connected_is_silent_when_all_counts() -> None:
    session = new_session()
    headers = {"accept-version": "1.2", "host": "x", "login": "a", "passcode": "b", "heart-beat": "0,0"}

    session.receive_frame(frame("CONNECT", headers), NOW)

    assert "warning" not in read(session.accepted("alice", NOW), None).headers
