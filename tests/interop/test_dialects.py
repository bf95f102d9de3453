"""stomp.py with the headers that ActiveMQ, Artemis, RabbitMQ and Apollo taught its users."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.raw import unique_name
from tests.interop.test_stomp_py import Peer, connect  # noqa: F401  # the fixture is found by its name

Connect = Callable[..., Peer]
Contents = Callable[[str], list[str]]

LATER = str(int(time.time() + 3_600) * 1_000)


def send(peer: Peer, destination: str, body: str = "text", **headers: str) -> Any:
    """Send a message and return its RECEIPT."""
    peer.connection.send(destination, body, receipt="sent", headers=headers)
    return peer.recorder.expect("RECEIPT")


def subscribe(peer: Peer, destination: str, headers: dict[str, str], ack: str = "client-individual") -> Any:
    """Subscribe and return the RECEIPT."""
    peer.connection.subscribe(destination, id="1", ack=ack, headers={**headers, "receipt": "subscribed"})
    return peer.recorder.expect("RECEIPT")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"activemq.prefetchSize": "1"}, id="ActiveMQ"),
        pytest.param({"prefetch-count": "1"}, id="RabbitMQ"),
        pytest.param({"credit": "1,65536"}, id="Apollo"),
        pytest.param({"consumer.prefetchSize": "1"}, id="seen in the wild"),
    ],
)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_prefetch(connect: Connect, queue: str, version: str, headers: dict[str, str]) -> None:  # noqa: F811
    peer = connect(version)
    for body in ("first", "second"):
        send(peer, queue, body)

    receipt = subscribe(peer, queue, headers)

    assert receipt.headers["prefetch-count"] == "1"
    assert "warning" not in receipt.headers
    [first] = peer.recorder.expect_bodies("first")
    peer.acknowledge(first)
    peer.recorder.expect_bodies("second")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"expires": LATER}, id="ActiveMQ, Artemis"),
        pytest.param({"JMSExpiration": LATER}, id="JMS"),
        pytest.param({"expiration": "3600000"}, id="RabbitMQ"),
        pytest.param({"x-message-ttl": "3600000"}, id="RabbitMQ's queues"),
        pytest.param({"ttl": "3600000"}, id="Apollo"),
    ],
)
def test_expiry(connect: Connect, queue: str, headers: dict[str, str]) -> None:  # noqa: F811
    peer = connect("1.2")

    receipt = send(peer, queue, **headers)

    assert "warning" not in receipt.headers
    peer.connection.subscribe(queue, id="1")
    [message] = peer.recorder.expect_bodies("text")
    sent_at = int(message.headers["timestamp"])
    assert int(message.headers["expires"]) in {int(LATER), sent_at + 3_600_000}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"expires": "1000"}, id="ActiveMQ, Artemis"),
        pytest.param({"expiration": "1"}, id="RabbitMQ"),
        pytest.param({"ttl": "1"}, id="Apollo"),
    ],
)
def test_message_that_has_expired_is_not_delivered(
    connect: Connect,  # noqa: F811
    queue: str,
    headers: dict[str, str],
    contents: Contents,
) -> None:
    peer = connect("1.2")
    send(peer, queue, "stale", **headers)
    send(peer, queue, "fresh")

    peer.connection.subscribe(queue, id="1")

    peer.recorder.expect_bodies("fresh")


def test_priority(connect: Connect, queue: str) -> None:  # noqa: F811
    peer = connect("1.2")
    for body, priority in (("low", "0"), ("usual", ""), ("high", "9")):
        send(peer, queue, body, **({"priority": priority} if priority else {}))

    peer.connection.subscribe(queue, id="1")

    peer.recorder.expect_bodies("high", "usual", "low")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", "true"), ("True", "true"), ("1", "true"), ("false", "false"), ("False", "false"), ("no", "false")],
)
def test_persistent(connect: Connect, queue: str, value: str, expected: str) -> None:  # noqa: F811
    peer = connect("1.2")
    send(peer, queue, persistent=value)

    peer.connection.subscribe(queue, id="1")

    [message] = peer.recorder.expect_bodies("text")
    assert message.headers["persistent"] == expected


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"colour": "red", "price": "12"}, id="ActiveMQ's numbers"),
        pytest.param({"colour": "red", "price": "12.0"}, id="with a fraction"),
    ],
)
def test_selector_on_a_topic(connect: Connect, headers: dict[str, str]) -> None:  # noqa: F811
    topic = unique_name("/topic/interop")
    peer = connect("1.2")
    subscribe(peer, topic, {"selector": "colour = 'red' AND price > 9"}, ack="auto")

    send(peer, topic, "not this", colour="blue", price="12")
    send(peer, topic, "this", **headers)

    # Deliveries and receipts are two streams; what is delivered comes with the receipt of its SEND or after it.
    peer.recorder.expect_bodies("this")


def test_headers_of_jms_are_passed_on(connect: Connect, queue: str) -> None:  # noqa: F811
    peer = connect("1.2")
    headers = {
        "correlation-id": "c-1",
        "reply-to": "/queue/replies",
        "type": "order",
        "amq-msg-type": "text",
        "app-id": "shop",
        "content-encoding": "identity",
    }

    receipt = send(peer, queue, **headers)

    assert "warning" not in receipt.headers
    peer.connection.subscribe(queue, id="1")
    [message] = peer.recorder.expect_bodies("text")
    assert {name: message.headers[name] for name in headers} == headers


def test_own_message_id_and_timestamp_are_kept_aside(connect: Connect, queue: str) -> None:  # noqa: F811
    peer = connect("1.2")

    send(peer, queue, **{"message-id": "m-1", "timestamp": "5"})

    peer.connection.subscribe(queue, id="1")
    [message] = peer.recorder.expect_bodies("text")
    assert message.headers["original-message-id"] == "m-1"
    assert message.headers["sender-timestamp"] == "5"


@pytest.mark.parametrize(
    ("headers", "ignored"),
    [
        pytest.param({"x-max-length": "10", "x-queue-type": "quorum"}, ["x-max-length"], id="RabbitMQ's arguments"),
        pytest.param({"durable": "true", "auto-delete": "false"}, [], id="RabbitMQ's durable queue"),
        pytest.param({"activemq.dispatchAsync": "true"}, ["activemq.dispatchAsync"], id="ActiveMQ's options"),
        pytest.param({"transformation": "jms-map-json"}, ["transformation"], id="ActiveMQ's transformation"),
        pytest.param({"include-seq": "seq"}, ["include-seq"], id="Apollo's sequence"),
    ],
)
def test_options_that_change_no_delivery_are_accepted(
    connect: Connect,  # noqa: F811
    queue: str,
    headers: dict[str, str],
    ignored: list[str],
) -> None:
    peer = connect("1.2")
    send(peer, queue)

    receipt = subscribe(peer, queue, headers)

    remarks = receipt.headers.get("warning", "").split("; ")
    assert [remark.partition(" ")[0] for remark in remarks if remark] == ignored
    peer.recorder.expect_bodies("text")


@pytest.mark.parametrize(("kind", "prefix"), [("ANYCAST", "/queue/"), ("MULTICAST", "/topic/")])
def test_bare_names_of_artemis(connect: Connect, kind: str, prefix: str) -> None:  # noqa: F811
    name = unique_name("interop")
    reader = connect("1.2")
    subscribe(reader, name, {"subscription-type": kind}, ack="auto")

    receipt = send(connect("1.2"), name, "by kind", **{"destination-type": kind})
    send(connect("1.2"), prefix + name, "by prefix")

    assert "warning" not in receipt.headers
    messages = reader.recorder.expect_bodies("by kind", "by prefix")
    assert [message.headers["destination"] for message in messages] == [name, prefix + name]


def test_options_of_activemq_on_connect_are_named(connect: Connect) -> None:  # noqa: F811
    peer = connect("1.2", headers={"activemq.useCompression": "true"})

    assert peer.connected.headers["warning"].startswith("activemq.useCompression is ignored")


def test_ack_mode_of_apollo(connect: Connect, queue: str, contents: Contents) -> None:  # noqa: F811
    peer = connect("1.2")
    send(peer, queue)

    subscribe(peer, queue, {}, ack="none")

    peer.recorder.expect_bodies("text")
    peer.connection.disconnect(receipt="bye")
    peer.expect_receipt("bye")
    assert contents(queue) == []


def test_soft_errors_as_other_brokers_have_them(connect: Connect, queue: str) -> None:  # noqa: F811
    peer = connect("1.2", headers={"soft-errors": "true"})

    peer.connection.send("/nowhere/x", "text", receipt="r")

    error = peer.recorder.expect("ERROR")
    assert (error.headers["receipt-id"], error.headers["soft"]) == ("r", "true")
    send(peer, queue)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("JMSXGroupID", id="ActiveMQ, Artemis"),
        pytest.param("message_group", id="Apollo"),
        pytest.param("_AMQ_GROUP_ID", id="Artemis' own"),
        pytest.param("JMSXGroupId", id="seen in the wild"),
    ],
)
def test_groups(connect: Connect, queue: str, name: str) -> None:  # noqa: F811
    first, second, sender = connect("1.2"), connect("1.2"), connect("1.2")
    for peer in (first, second):
        subscribe(peer, queue, {}, ack="auto")

    for body in ("a1", "b1", "a2", "b2", "a3"):
        assert "warning" not in send(sender, queue, body, **{name: body[0]}).headers

    messages = first.recorder.expect_bodies("a1", "a2", "a3")
    second.recorder.expect_bodies("b1", "b2")
    assert {message.headers["JMSXGroupID"] for message in messages} == {"a"}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"exclusive": "true"}, id="Apollo"),
        pytest.param({"activemq.exclusive": "true"}, id="ActiveMQ"),
        pytest.param({"x-single-active-consumer": "true"}, id="RabbitMQ"),
    ],
)
def test_exclusive(connect: Connect, queue: str, headers: dict[str, str]) -> None:  # noqa: F811
    first, second, sender = connect("1.2"), connect("1.2"), connect("1.2")
    for peer in (first, second):
        assert "warning" not in subscribe(peer, queue, headers).headers

    for body in ("1", "2", "3"):
        send(sender, queue, body)

    first.recorder.expect_bodies("1", "2", "3")
    first.connection.disconnect(receipt="bye")
    second.recorder.expect_bodies("1", "2", "3")


@pytest.mark.parametrize(
    "name",
    [pytest.param("x-priority", id="RabbitMQ"), pytest.param("activemq.priority", id="ActiveMQ"), "consumer-priority"],
)
def test_priority_of_consumers(connect: Connect, queue: str, name: str) -> None:  # noqa: F811
    second, first, sender = connect("1.2"), connect("1.2"), connect("1.2")
    subscribe(second, queue, {})
    assert "warning" not in subscribe(first, queue, {name: "10", "prefetch-count": "2"}).headers

    for body in ("1", "2", "3"):
        send(sender, queue, body)

    first.recorder.expect_bodies("1", "2")
    second.recorder.expect_bodies("3")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"consumer-window-size": "0"}, id="Artemis, one at a time"),
        pytest.param({"consumer-window-size": "4"}, id="Artemis, bytes"),
        pytest.param({"credit": "10,4"}, id="Apollo"),
    ],
)
def test_window_in_bytes(connect: Connect, queue: str, headers: dict[str, str]) -> None:  # noqa: F811
    peer, other, sender = connect("1.2"), connect("1.2"), connect("1.2")
    assert "warning" not in subscribe(peer, queue, headers).headers
    subscribe(other, queue, {"consumer-priority": "-1"})

    for body in ("text", "more"):
        send(sender, queue, body)

    peer.recorder.expect_bodies("text")
    other.recorder.expect_bodies("more")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_browser_of_activemq(connect: Connect, queue: str, version: str, contents: Contents) -> None:  # noqa: F811
    peer = connect(version)
    for body in ("1", "2"):
        send(peer, queue, body)

    subscribe(peer, queue, {"browser": "true"}, ack="auto")

    *_, end = peer.recorder.expect_bodies("1", "2", "")
    assert (end.headers["browser"], end.headers["message-id"], end.headers["destination"]) == ("end", "0", queue)
    assert contents(queue) == ["1", "2"]


def test_browser_of_apollo_that_goes_on(connect: Connect, queue: str) -> None:  # noqa: F811
    peer = connect("1.2")
    send(peer, queue, "1")
    subscribe(peer, queue, {"browser": "true", "browser-end": "false"}, ack="auto")
    peer.recorder.expect_bodies("1")

    send(peer, queue, "2")

    peer.recorder.expect_bodies("2")


@pytest.mark.parametrize("name", ["delay", "x-delay", "AMQ_SCHEDULED_DELAY"])
def test_delay(connect: Connect, queue: str, name: str) -> None:  # noqa: F811
    peer = connect("1.2")

    assert "warning" not in send(peer, queue, "late", **{name: "300"}).headers
    send(peer, queue, "at once")

    peer.connection.subscribe(queue, id="1")
    peer.recorder.expect_bodies("at once", "late")


@pytest.mark.parametrize("name", ["AMQ_SCHEDULED_TIME", "_AMQ_SCHED_DELIVERY"])
def test_time_of_delivery(connect: Connect, queue: str, name: str) -> None:  # noqa: F811
    peer = connect("1.2")
    due_ms = int(time.time() * 1_000) + 300

    assert "warning" not in send(peer, queue, "late", **{name: str(due_ms)}).headers
    send(peer, queue, "at once")

    peer.connection.subscribe(queue, id="1")
    peer.recorder.expect_bodies("at once", "late")
    assert time.time() * 1_000 >= due_ms


def test_repetition_of_activemq(connect: Connect, queue: str) -> None:  # noqa: F811
    peer = connect("1.2")

    receipt = send(peer, queue, "again", AMQ_SCHEDULED_PERIOD="100", AMQ_SCHEDULED_REPEAT="2")

    assert "warning" not in receipt.headers
    peer.connection.subscribe(queue, id="1")
    messages = peer.recorder.expect_bodies("again", "again", "again")
    assert len({message.headers["message-id"] for message in messages}) == 3
    assert len({message.headers["scheduledJobId"] for message in messages}) == 1


def test_cron_of_activemq(connect: Connect, queue: str) -> None:  # noqa: F811
    peer = connect("1.2")
    assert "warning" not in send(peer, queue, "yearly", AMQ_SCHEDULED_CRON="0 0 1 1 *").headers
    peer.connection.subscribe(queue, id="1")
    management = "/topic/ActiveMQ.Scheduler.Management"

    send(peer, management, **{"AMQ_SCHEDULER_ACTION": "BROWSE", "reply-to": queue})

    *jobs, end = _until_end(peer)
    [job] = [job for job in jobs if job.headers["scheduled-destination"] == queue]
    assert (job.body, job.headers["schedule-cron"], end.headers["count"]) == ("yearly", "0 0 1 1 *", str(len(jobs)))
    send(peer, management, AMQ_SCHEDULER_ACTION="REMOVE", scheduledJobId=job.headers["scheduledJobId"])


def _until_end(peer: Peer) -> list[Any]:
    """Return the messages up to the one that says it is the last."""
    messages = [peer.recorder.expect("MESSAGE")]
    while messages[-1].headers.get("browser") != "end":
        messages.append(peer.recorder.expect("MESSAGE"))
    return messages


@pytest.mark.parametrize("name", ["dedup-id", "_AMQ_DUPL_ID"])
def test_duplicates(connect: Connect, queue: str, contents: Contents, name: str) -> None:  # noqa: F811
    peer = connect("1.2")

    first, second = (send(peer, queue, body, **{name: "order-1"}) for body in ("1", "2"))

    assert "duplicate" not in first.headers
    assert second.headers["duplicate"] == "true"
    assert contents(queue) == ["1"]


@pytest.mark.parametrize("name", ["last-value-key", "_AMQ_LVQ_NAME"])
def test_last_value(connect: Connect, queue: str, contents: Contents, name: str) -> None:  # noqa: F811
    peer = connect("1.2")

    for body, key in (("1", "a"), ("2", "b"), ("3", "a")):
        send(peer, queue, body, **{name: key})

    assert contents(queue) == ["2", "3"]


@pytest.mark.parametrize("name", ["no-local", "no_local", "activemq.noLocal"])
def test_no_local(connect: Connect, name: str) -> None:  # noqa: F811
    topic = unique_name("/topic/interop")
    peer, other = connect("1.2"), connect("1.2")
    assert "warning" not in subscribe(peer, topic, {name: "true"}, ack="auto").headers

    send(peer, topic, "own")
    send(other, topic, "foreign")

    peer.recorder.expect_bodies("foreign")


@pytest.mark.parametrize(
    ("headers", "bodies"),
    [
        pytest.param({"activemq.retroactive": "true"}, ["1", "2", "3"], id="ActiveMQ"),
        pytest.param({"retroactive": "2"}, ["2", "3"], id="the newest two"),
        pytest.param({"x-stream-offset": "first"}, ["1", "2", "3"], id="RabbitMQ, first"),
        pytest.param({"x-stream-offset": "last"}, ["3"], id="RabbitMQ, last"),
        pytest.param({"x-stream-offset": "timestamp=0"}, ["1", "2", "3"], id="RabbitMQ, time"),
        pytest.param({"from-seq": "0"}, ["1", "2", "3"], id="Apollo"),
        pytest.param({"from-seq": "-1"}, [], id="Apollo, none"),
        pytest.param({"x-stream-offset": "next"}, [], id="RabbitMQ, next"),
    ],
)
def test_past_of_a_topic(connect: Connect, headers: dict[str, str], bodies: list[str]) -> None:  # noqa: F811
    topic = unique_name("/topic/kept.interop")
    peer, sender = connect("1.2"), connect("1.2")
    for body in ("1", "2", "3"):
        send(sender, topic, body)

    assert "warning" not in subscribe(peer, topic, headers, ack="auto").headers

    send(sender, topic, "new")
    peer.recorder.expect_bodies(*bodies, "new")


@pytest.mark.parametrize("form", ["from-seq:{}", "x-stream-offset:{}", "x-stream-offset:offset={}"])
def test_place_in_a_topic(connect: Connect, form: str) -> None:  # noqa: F811
    topic = unique_name("/topic/kept.interop")
    reader, peer = connect("1.2"), connect("1.2")
    subscribe(reader, topic, {}, ack="auto")
    for body in ("1", "2", "3"):
        send(peer, topic, body)
    _, second, _ = reader.recorder.expect_bodies("1", "2", "3")
    name, _, value = form.format(second.headers["seq"]).partition(":")

    subscribe(peer, topic, {name: value}, ack="auto")

    peer.recorder.expect_bodies("2", "3")


@pytest.mark.parametrize("header", ["client-id", "client_id", "activemq.clientID"])
@pytest.mark.parametrize(
    "name",
    [
        *("durable-subscription-name", "durable-subscriber-name"),
        *("activemq.subscriptionName", "activemq.subcriptionName"),
    ],
)
def test_durable_subscription(connect: Connect, header: str, name: str) -> None:  # noqa: F811
    topic, client_id = unique_name("/topic/interop"), unique_name("client")
    first = connect("1.2", headers={header: client_id})
    subscribe(first, topic, {name: "news"}, ack="auto")
    first.close()
    send(connect("1.2"), topic, "meanwhile")

    second = connect("1.2", headers={header: client_id})
    receipt = subscribe(second, topic, {name: "news"}, ack="auto")

    assert (receipt.headers["pending"], "warning" in receipt.headers) == ("1", False)
    second.recorder.expect_bodies("meanwhile")


def test_nack_of_apollo_that_makes_a_dead_letter(connect: Connect, queue: str, contents: Contents) -> None:  # noqa: F811
    peer = connect("1.2")
    send(peer, queue, "bad")
    subscribe(peer, queue, {})
    [message] = peer.recorder.expect_bodies("bad")

    peer.settle(message, "nack", requeue="false")

    assert contents(queue.replace("/queue/", "/queue/DLQ.")) == ["bad"]


def test_nack_of_rabbitmq_that_gives_back(connect: Connect, queue: str) -> None:  # noqa: F811
    peer = connect("1.2")
    send(peer, queue)
    subscribe(peer, queue, {})
    [message] = peer.recorder.expect_bodies("text")

    peer.connection.nack(message.headers["ack"], requeue="true")

    [again] = peer.recorder.expect_bodies("text")
    assert again.headers["redelivered"] == "true"


@pytest.mark.parametrize("value", ["set", "true"])
def test_retained_message_of_apollo(connect: Connect, value: str) -> None:  # noqa: F811
    topic = unique_name("/topic/interop")
    sender, peer, late = connect("1.2"), connect("1.2"), connect("1.2")
    assert "warning" not in send(sender, topic, "kept", retain=value).headers

    subscribe(peer, topic, {}, ack="auto")

    [message] = peer.recorder.expect_bodies("kept")
    assert message.headers["retained"] == "true"
    send(sender, topic, "last", retain="remove")
    subscribe(late, topic, {}, ack="auto")
    send(sender, topic, "new")
    late.recorder.expect_bodies("new")


@pytest.mark.parametrize("wildcard", [">", "#", "**"])
@pytest.mark.parametrize("kind", ["queue", "topic"])
def test_wildcard_for_the_rest_of_a_name(connect: Connect, kind: str, wildcard: str) -> None:  # noqa: F811
    name = unique_name(f"/{kind}/interop")
    peer, sender = connect("1.2"), connect("1.2")
    assert "warning" not in subscribe(peer, f"{name}.{wildcard}", {}, ack="auto").headers

    for word in ("x.eur", "y.eur.daily"):
        send(sender, f"{name}.{word}", word)
    send(sender, f"{name}x", "not this")

    messages = peer.recorder.expect_bodies("x.eur", "y.eur.daily")
    assert [message.headers["destination"] for message in messages] == [f"{name}.x.eur", f"{name}.y.eur.daily"]


@pytest.mark.parametrize(
    ("command", "headers"),
    [
        ("SEND", {"last-value-key": "a", "_AMQ_LVQ_NAME": "b"}),
        ("SUBSCRIBE", {"prefetch-count": "5", "credit": "7"}),
    ],
)
def test_spellings_that_contradict_each_other(
    connect: Connect,  # noqa: F811
    queue: str,
    command: str,
    headers: dict[str, str],
) -> None:
    peer = connect("1.2")

    if command == "SEND":
        peer.connection.send(queue, "text", headers=headers)
    else:
        peer.connection.subscribe(queue, id="1", headers=headers)

    error = peer.recorder.expect("ERROR")
    assert all(f"{name}:{value}" in error.body for name, value in headers.items())
