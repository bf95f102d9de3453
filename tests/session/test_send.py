"""SEND: destinations, the message's properties, and which headers are whose."""

from __future__ import annotations

import pytest

from stompd.broker.destination import parse_destination
from stompd.broker.message import Message
from stompd.broker.requests import Send
from stompd.errors import InvalidDestination, InvalidHeader, MissingHeader
from stompd.session.session import SessionSettings
from tests.session.peer import NOW, connected, frame, request

NOW_MS = int(NOW * 1000)
LONGEST_MS = 2**63 - 1


def send(headers: dict[str, str], body: bytes = b"") -> Send:
    made = request("SEND", {"destination": "/queue/a", **headers}, body)
    assert isinstance(made, Send)
    return made


def message(headers: dict[str, str]) -> Message:
    return send(headers).message


def test_send_without_more_is_a_durable_message_of_default_priority() -> None:
    made = send({}, b"body")

    assert made.destination == parse_destination("/queue/a")
    assert (made.transaction, made.receipt) == (None, None)
    assert (made.message.destination, made.message.body, made.message.headers) == ("/queue/a", b"body", {})
    assert (made.message.priority, made.message.expires_ms, made.message.is_persistent) == (4, 0, True)


def test_destination_keeps_the_senders_spelling() -> None:
    made = send({"destination": "/queue/a%2Fb"})

    assert made.destination == parse_destination("/queue/a/b")
    assert made.message.destination == "/queue/a%2Fb"


def test_send_needs_a_destination() -> None:
    with pytest.raises(MissingHeader, match="SEND needs the header destination, for example destination:/queue/orders"):
        request("SEND", {"receipt": "r"})


@pytest.mark.parametrize("destination", ["", "orders", "/queue/"])
def test_destination_must_be_one(destination: str) -> None:
    with pytest.raises(InvalidDestination):
        send({"destination": destination})


def test_headers_of_the_sender_are_passed_on() -> None:
    own = {"content-type": "text/plain", "reply-to": "/queue/b", "correlation-id": "1", "selector": "x", "id": "2"}

    assert message(own).headers == own


def test_headers_of_the_frame_alone_are_not_passed_on() -> None:
    made = send({"receipt": "r", "transaction": "t", "content-length": "0", "a": "b"})

    assert (made.receipt, made.transaction) == ("r", "t")
    assert made.message.headers == {"a": "b"}


def test_frame_keeps_its_headers() -> None:
    sent = frame("SEND", {"destination": "/queue/a", "receipt": "r", "ttl": "x"})

    with pytest.raises(InvalidHeader):
        connected().receive_frame(sent, NOW)

    assert sent.headers == {"destination": "/queue/a", "receipt": "r", "ttl": "x"}


def test_transaction_must_have_a_name() -> None:
    with pytest.raises(InvalidHeader, match="transaction:tx1"):
        send({"transaction": ""})


def test_browser_is_passed_on() -> None:
    assert send({"browser": "Firefox"}).message.headers == {"browser": "Firefox"}


def test_no_message_looks_like_the_end_of_browsing() -> None:
    with pytest.raises(InvalidHeader, match="browser:end cannot be used"):
        send({"browser": "end"})


@pytest.mark.parametrize(
    "name",
    [
        "subscription",
        "ack",
        "redelivered",
        "receipt-id",
        "JMSXDeliveryCount",
        "JMSXUserID",
        "original-destination",
        "dlq-reason",
        "dlq-detail",
        "dlq-time",
        "dlq-delivery-count",
    ],
)
def test_headers_of_the_broker_are_stripped(name: str) -> None:
    assert message({name: "forged", "a": "b"}).headers == {"a": "b"}


@pytest.mark.parametrize("form", [None, object()], ids=["once", "again"])
@pytest.mark.parametrize("headers", [{}, {"JMSXUserID": "mallory"}, {"priority": "9"}])
def test_sender_is_named_if_the_operator_wants_it(headers: dict[str, str], form: object) -> None:
    session = connected(settings=SessionSettings(names_sender=True))
    sent = frame("SEND", {"destination": "/queue/a", **headers})
    sent.form = form

    made = [session.receive_frame(sent, NOW) for _ in range(2)]

    assert [send.message.headers for send in made if isinstance(send, Send)] == [{"JMSXUserID": "alice"}] * 2
    assert sent.headers == {"destination": "/queue/a", **headers}


def test_message_id_of_the_sender_is_kept_under_another_name() -> None:
    assert message({"message-id": "m"}).headers == {"original-message-id": "m"}


def test_timestamp_of_the_sender_is_kept_under_another_name() -> None:
    assert message({"timestamp": "1"}).headers == {"sender-timestamp": "1"}


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "1", "yes"])
def test_persistent_is_persistent(value: str) -> None:
    made = message({"persistent": value})

    assert made.is_persistent
    assert made.headers == {}


@pytest.mark.parametrize("value", ["false", "False", "0", "no", "NO"])
def test_not_persistent_is_not(value: str) -> None:
    assert not message({"persistent": value}).is_persistent


@pytest.mark.parametrize("value", ["maybe", "2", " true"])
def test_persistent_that_is_no_boolean_is_refused(value: str) -> None:
    with pytest.raises(InvalidHeader, match=f"persistent:{value} .*true, false, 1, 0, yes or no"):
        message({"persistent": value})


@pytest.mark.parametrize("value", ["0", "4", "9"])
def test_priority_is_taken(value: str) -> None:
    made = message({"priority": value})

    assert made.priority == int(value)
    assert made.headers == {}


@pytest.mark.parametrize("value", ["10", "-1", "+1", "high", "4.0", " 4", "1_0", "\u0664", "\u00b2", "9" * 9_999])
def test_priority_that_is_no_number_from_0_to_9_is_refused(value: str) -> None:
    with pytest.raises(InvalidHeader, match=r"priority:.* a number from 0 to 9, for example priority:7"):
        message({"priority": value})


@pytest.mark.parametrize("name", ["expires", "JMSExpiration"])
def test_expiry_is_a_point_in_time(name: str) -> None:
    made = message({name: "1800000000000"})

    assert made.expires_ms == 1_800_000_000_000
    assert made.headers == {}


def test_expiry_in_the_past_is_for_the_core_to_see() -> None:
    assert message({"expires": "1"}).expires_ms == 1


@pytest.mark.parametrize("name", ["ttl", "expiration", "x-message-ttl"])
def test_lifetime_counts_from_now(name: str) -> None:
    made = message({name: "60000"})

    assert made.expires_ms == NOW_MS + 60_000
    assert made.headers == {}


@pytest.mark.parametrize("name", ["expires", "JMSExpiration", "ttl", "expiration", "x-message-ttl"])
def test_zero_means_never(name: str) -> None:
    assert message({name: "0"}).expires_ms == 0


@pytest.mark.parametrize("name", ["expires", "ttl"])
@pytest.mark.parametrize("value", ["soon", "-1", "1.5", str(LONGEST_MS + 1)])
def test_expiry_that_is_no_number_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidHeader, match=f"{name}:.* a number from 0 to {LONGEST_MS}"):
        message({name: value})


def test_longest_lifetime_fits_the_store() -> None:
    assert message({"ttl": str(LONGEST_MS)}).expires_ms == LONGEST_MS


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("ttl_ms", [1_000, 3_000])
def test_earlier_of_expiry_and_lifetime_wins(ttl_ms: int, order: int) -> None:
    said = [("expires", str(NOW_MS + 2_000)), ("ttl", str(ttl_ms))]

    made = message(dict(said[::order]))

    assert made.expires_ms == NOW_MS + min(ttl_ms, 2_000)


def test_lifetime_counts_where_the_expiry_says_never() -> None:
    assert message({"ttl": "1000", "expires": "0"}).expires_ms == NOW_MS + 1_000


@pytest.mark.parametrize(
    ("name", "value"),
    [("JMSXGroupID", ""), ("JMSXGroupSeq", "1")],
)
def test_what_asks_for_nothing_is_passed_on(name: str, value: str) -> None:
    assert message({name: value}).headers == {name: value}


@pytest.mark.parametrize("name", ["JMSXGroupId", "message_group", "_AMQ_GROUP_ID"])
def test_group_is_found_under_the_name_of_jms(name: str) -> None:
    assert message({name: "g"}).headers == {name: "g", "JMSXGroupID": "g"}


@pytest.mark.parametrize("names", [("JMSXGroupID", "message_group"), ("message_group", "JMSXGroupID")])
def test_group_may_be_spelled_twice(names: tuple[str, str]) -> None:
    made = message(dict.fromkeys(names, "g"))

    assert made.headers == {"JMSXGroupID": "g", "message_group": "g"}


def test_name_of_a_group_is_bounded() -> None:
    assert message({"JMSXGroupID": "g" * 255}).headers == {"JMSXGroupID": "g" * 255}
    with pytest.raises(InvalidHeader, match="Accepted is a name of at most 255"):
        message({"JMSXGroupID": "g" * 256})


@pytest.mark.parametrize("value", ["0", "-1", "7", str(2**31 - 1)])
def test_place_in_a_group_is_passed_on(value: str) -> None:
    assert message({"JMSXGroupSeq": value}).headers == {"JMSXGroupSeq": value}


@pytest.mark.parametrize("value", ["last", "1.5", "--1", "-", str(2**31)])
def test_place_in_a_group_is_a_number(value: str) -> None:
    with pytest.raises(InvalidHeader, match="JMSXGroupSeq:"):
        message({"JMSXGroupSeq": value})


def test_temporary_reply_to_is_part_of_the_request() -> None:
    made = send({"reply-to": "/temp-queue/a"})

    assert made.reply_to == parse_destination("/temp-queue/a")
    assert made.message.headers == {"reply-to": "/temp-queue/a"}


@pytest.mark.parametrize("place", ["/queue/a", "/reply-queue/0a1b", "/remote-temp-queue/0a1b", "amq.reply", ""])
def test_any_other_reply_to_is_passed_on(place: str) -> None:
    made = send({"reply-to": place})

    assert made.reply_to is None
    assert made.message.headers == {"reply-to": place}


def test_temporary_reply_to_needs_a_name() -> None:
    with pytest.raises(InvalidDestination, match="/temp-queue/ has an empty name"):
        send({"reply-to": "/temp-queue/"})


@pytest.mark.parametrize(("value", "is_mandatory"), [("true", True), ("no", False)])
def test_mandatory_is_part_of_the_request(value: str, is_mandatory: bool) -> None:
    made = send({"mandatory": value})

    assert made.is_mandatory is is_mandatory
    assert made.message.headers == {}


def test_mandatory_is_a_yes_or_a_no() -> None:
    with pytest.raises(InvalidHeader, match="mandatory:perhaps cannot be used"):
        send({"mandatory": "perhaps"})


def test_long_value_is_repeated_in_part_only() -> None:
    with pytest.raises(InvalidHeader) as caught:
        message({"persistent": "x" * 10_000})

    assert len(caught.value.detail) < 300


@pytest.mark.parametrize("name", ["delay", "x-delay", "AMQ_SCHEDULED_DELAY"])
def test_delay_counts_from_the_arrival(name: str) -> None:
    made = message({name: "1500"})

    assert (made.due_ms, made.headers) == (int(NOW * 1000) + 1500, {})


@pytest.mark.parametrize("name", ["AMQ_SCHEDULED_TIME", "_AMQ_SCHED_DELIVERY"])
def test_message_may_be_due_at_a_certain_time(name: str) -> None:
    due_ms = int(NOW * 1000) + 5000

    made = message({name: str(due_ms)})

    assert (made.due_ms, made.headers) == (due_ms, {})


def test_longest_of_several_delays_counts() -> None:
    assert message({"delay": "300", "AMQ_SCHEDULED_TIME": str(NOW_MS + 200)}).due_ms == NOW_MS + 300
    assert message({"delay": "300", "AMQ_SCHEDULED_TIME": str(NOW_MS + 400)}).due_ms == NOW_MS + 400


@pytest.mark.parametrize(
    "name",
    [
        *("persistent", "priority", "expires", "JMSExpiration", "ttl", "expiration", "x-message-ttl", "mandatory"),
        *("delay", "x-delay", "AMQ_SCHEDULED_DELAY", "AMQ_SCHEDULED_TIME", "_AMQ_SCHED_DELIVERY"),
    ],
)
def test_empty_value_says_nothing(name: str) -> None:
    made = send({name: ""})

    assert (made.message.headers, made.is_mandatory) == ({}, False)
    assert (made.message.is_persistent, made.message.priority) == (True, 4)
    assert (made.message.expires_ms, made.message.due_ms) == (0, 0)


@pytest.mark.parametrize(
    "name",
    [
        *("dedup-id", "last-value-key", "_AMQ_LVQ_NAME", "JMSXGroupID", "JMSXGroupSeq", "message_group"),
        *("amq-msg-type", "jms-prop-types", "browser", "reply-to"),
    ],
)
def test_empty_value_of_what_is_passed_on_says_nothing(name: str) -> None:
    made = message({name: ""})

    assert (made.headers, made.wishes) == ({name: ""}, None)


@pytest.mark.parametrize(("said", "kept"), [("text", "text"), ("TEXT", "text"), ("Bytes", "bytes")])
def test_kind_of_the_body_is_passed_on(said: str, kept: str) -> None:
    assert message({"amq-msg-type": said}).headers == {"amq-msg-type": kept}


def test_kind_of_the_body_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidHeader, match=r"amq-msg-type:zz cannot be used. Accepted is text or bytes"):
        message({"amq-msg-type": "zz"})


@pytest.mark.parametrize(("name", "value"), [("delay", "0"), ("AMQ_SCHEDULED_TIME", "0"), ("AMQ_SCHEDULED_TIME", "5")])
def test_what_is_due_already_is_not_delayed(name: str, value: str) -> None:
    assert message({name: value}).due_ms == 0


@pytest.mark.parametrize("name", ["delay", "AMQ_SCHEDULED_TIME"])
@pytest.mark.parametrize("value", ["soon", "-1", "1.5", "99999999999999"])
def test_delay_that_cannot_be_understood_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidHeader, match=f"{name}:{value} cannot be used. Accepted is a number from 0 to"):
        message({name: value})
