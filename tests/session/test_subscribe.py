"""SUBSCRIBE and UNSUBSCRIBE in the three versions."""

from __future__ import annotations

import pytest

from stompd.broker.destination import Kind, parse_destination, parse_source
from stompd.broker.requests import ORDINARY, AckMode, Subscribe, Terms, Unsubscribe
from stompd.errors import InvalidDestination, InvalidHeader, MissingHeader, UnsupportedHeader
from tests.session.peer import request


def subscribe(headers: dict[str, str], version: str = "1.2") -> Subscribe:
    made = request("SUBSCRIBE", {"destination": "/queue/a", "id": "0", **headers}, version=version)
    assert isinstance(made, Subscribe)
    return made


def test_subscribe_without_more_is_automatic_and_leaves_credit_to_the_broker() -> None:
    made = subscribe({})

    assert (made.destination, made.subscription_id) == (parse_destination("/queue/a"), "0")
    assert (made.ack_mode, made.prefetch, made.is_named, made.receipt) == (AckMode.AUTO, None, True, None)


def test_subscribe_takes_its_receipt() -> None:
    assert subscribe({"receipt": "r"}).receipt == "r"


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_subscribe_needs_a_destination(version: str) -> None:
    with pytest.raises(MissingHeader, match="SUBSCRIBE needs the header destination"):
        request("SUBSCRIBE", {"id": "0"}, version=version)


def test_destination_must_be_one() -> None:
    with pytest.raises(InvalidDestination):
        subscribe({"destination": ""})


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_subscribe_needs_an_id(version: str) -> None:
    with pytest.raises(MissingHeader, match="SUBSCRIBE needs the header id, for example id:0"):
        request("SUBSCRIBE", {"destination": "/queue/a"}, version=version)


def test_destination_stands_for_the_id_in_1_0() -> None:
    made = request("SUBSCRIBE", {"destination": "/queue/a%2Fb"}, version="1.0")

    assert isinstance(made, Subscribe)
    assert (made.subscription_id, made.is_named) == ("/queue/a%2Fb", False)


def test_id_counts_in_1_0_when_there_is_one() -> None:
    made = subscribe({"id": "s"}, "1.0")

    assert (made.subscription_id, made.is_named) == ("s", True)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
@pytest.mark.parametrize(
    ("ack", "mode"),
    [
        ("auto", AckMode.AUTO),
        ("none", AckMode.AUTO),
        ("client", AckMode.CLIENT),
        ("client-individual", AckMode.INDIVIDUAL),
    ],
)
def test_ack_modes(ack: str, mode: AckMode, version: str) -> None:
    assert subscribe({"ack": ack}, version).ack_mode is mode


@pytest.mark.parametrize("ack", ["", "Client", "individual"])
def test_unknown_ack_mode_is_refused(ack: str) -> None:
    with pytest.raises(InvalidHeader, match=f"ack:{ack} .*auto, client or client-individual"):
        subscribe({"ack": ack})


@pytest.mark.parametrize(
    ("name", "value", "prefetch"),
    [
        ("prefetch-count", "5", 5),
        ("activemq.prefetchSize", "5", 5),
        ("prefetch", "5", 5),
        ("consumer.prefetchSize", "5", 5),
        ("credit", "5", 5),
        ("credit", "5,655360", 5),
        ("prefetch-count", "0", 0),
    ],
)
def test_prefetch_and_its_aliases(name: str, value: str, prefetch: int) -> None:
    assert subscribe({name: value}).prefetch == prefetch


@pytest.mark.parametrize("name", ["prefetch-count", "credit"])
def test_empty_prefetch_says_nothing(name: str) -> None:
    assert subscribe({name: "", "prefetch": "3"}).prefetch == 3
    assert subscribe({name: ""}).prefetch is None


@pytest.mark.parametrize("value", ["-1", "many", "5,5", str(2**31)])
def test_prefetch_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(InvalidHeader, match=r"prefetch-count:.* for example prefetch-count:10"):
        subscribe({"prefetch-count": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no-local", "true"),
        ("no_local", "1"),
        ("activemq.noLocal", "true"),
        ("retroactive", "10"),
        ("activemq.retroactive", "true"),
        ("from-seq", "0"),
        ("x-stream-offset", "first"),
    ],
)
def test_what_is_not_done_yet_is_refused(name: str, value: str) -> None:
    with pytest.raises(UnsupportedHeader) as caught:
        subscribe({name: value})

    assert caught.value.detail.startswith(f"{name}:{value} on SUBSCRIBE asks for ")


def test_subscribe_without_more_has_ordinary_terms() -> None:
    assert subscribe({}).terms == ORDINARY


@pytest.mark.parametrize(("end", "follows"), [(None, False), ("", False), ("true", False), ("false", True)])
def test_browser_goes_on_only_without_an_end(end: str | None, follows: bool) -> None:
    headers = {"browser": "true"} if end is None else {"browser": "true", "browser-end": end}

    assert subscribe(headers).terms == Terms(is_browser=True, follows=follows)


def test_browser_takes_nothing_that_could_be_acknowledged() -> None:
    with pytest.raises(InvalidHeader, match="Accepted is auto beside browser:true"):
        subscribe({"browser": "true", "ack": "client"})


@pytest.mark.parametrize(
    "destination", ["/topic/a", "/queue/Consumer.g.VirtualTopic.t", "/queue/a.*", "/queue/a,/queue/b", "/temp-queue/a"]
)
def test_browser_looks_at_one_queue(destination: str) -> None:
    with pytest.raises(InvalidHeader, match="browser:true on SUBSCRIBE looks at one queue"):
        subscribe({"destination": destination, "browser": "true"})


def test_end_of_browsing_goes_with_browsing() -> None:
    with pytest.raises(InvalidHeader, match="browser-end:false on SUBSCRIBE goes with browser:true"):
        subscribe({"browser-end": "false"})


@pytest.mark.parametrize("name", ["exclusive", "activemq.exclusive", "x-single-active-consumer"])
def test_exclusive_in_every_spelling(name: str) -> None:
    assert subscribe({name: "true"}).terms == Terms(is_exclusive=True)
    assert subscribe({name: "false"}).terms == ORDINARY


@pytest.mark.parametrize("name", ["consumer-priority", "x-priority", "activemq.priority"])
@pytest.mark.parametrize("value", ["5", "-127", "0"])
def test_priority_in_every_spelling(name: str, value: str) -> None:
    assert subscribe({name: value}).terms == Terms(priority=int(value))


@pytest.mark.parametrize(("value", "expected"), [("0", 0), ("10240", 10_240), ("-1", None), ("", None)])
def test_window_in_bytes(value: str, expected: int | None) -> None:
    assert subscribe({"consumer-window-size": value}).terms == Terms(window_bytes=expected)


def test_credit_of_apollo_counts_messages_and_bytes() -> None:
    made = subscribe({"credit": "5,4096"})

    assert (made.prefetch, made.terms) == (5, Terms(window_bytes=4_096))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exclusive", "perhaps"),
        ("x-priority", "high"),
        ("x-priority", "-"),
        ("activemq.priority", str(2**31)),
        ("consumer-window-size", "-2"),
        ("consumer-window-size", "1k"),
    ],
)
def test_terms_that_cannot_be_read_are_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidHeader, match=f"{name}:{value} cannot be used"):
        subscribe({name: value})


def test_bytes_of_credit_are_a_number() -> None:
    with pytest.raises(InvalidHeader, match="credit:many cannot be used"):
        subscribe({"credit": "5,many"})


@pytest.mark.parametrize(("name", "value"), [("exclusive", "true"), ("x-priority", "5")])
def test_browser_does_not_go_before_others(name: str, value: str) -> None:
    with pytest.raises(InvalidHeader, match="browser:true takes none"):
        subscribe({"browser": "true", name: value})


@pytest.mark.parametrize("name", ["browser", "browser-end"])
def test_flags_of_browsing_are_flags(name: str) -> None:
    with pytest.raises(InvalidHeader, match=f"{name}:maybe cannot be used"):
        subscribe({"browser": "true", name: "maybe"})


@pytest.mark.parametrize("name", ["durable", "persistent"])
def test_queue_is_durable_already(name: str) -> None:
    assert subscribe({name: "true"}).destination.kind is Kind.QUEUE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("selector", ""),
        ("durable", "false"),
        ("browser", "False"),
        ("exclusive", "0"),
        ("no-local", "no"),
        ("consumer-priority", "0"),
        ("auto-delete", "false"),
        ("x-max-length", "10"),
    ],
)
def test_what_asks_for_nothing_is_fine(name: str, value: str) -> None:
    assert subscribe({"destination": "/topic/a", name: value}).subscription_id == "0"


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_unsubscribe_names_the_id(version: str) -> None:
    made = request("UNSUBSCRIBE", {"id": "0", "destination": "/queue/a", "receipt": "r"}, version=version)

    assert isinstance(made, Unsubscribe)
    assert (made.subscription_id, made.receipt) == ("0", "r")


def test_unsubscribe_names_the_destination_in_1_0() -> None:
    made = request("UNSUBSCRIBE", {"destination": "/queue/a"}, version="1.0")

    assert isinstance(made, Unsubscribe)
    assert made.subscription_id == "/queue/a"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_unsubscribe_needs_an_id(version: str) -> None:
    with pytest.raises(MissingHeader, match="UNSUBSCRIBE needs the header id, for example id:0"):
        request("UNSUBSCRIBE", {"destination": "/queue/a"}, version=version)


def test_unsubscribe_needs_an_id_or_a_destination_in_1_0() -> None:
    with pytest.raises(MissingHeader, match="UNSUBSCRIBE needs the header id"):
        request("UNSUBSCRIBE", {}, version="1.0")


def test_body_of_another_frame_is_ignored() -> None:
    made = request("SUBSCRIBE", {"destination": "/queue/a", "id": "0"}, b"body")

    assert isinstance(made, Subscribe)


def test_subscribe_takes_wildcards_and_lists() -> None:
    assert subscribe({"destination": "/topic/a.>"}).destination == parse_source("/topic/a.#")
    assert subscribe({"destination": "/queue/a,b.*"}).destination == parse_source("/queue/a,/queue/b.*")


@pytest.mark.parametrize("destination", ["/temp-queue/a", "/temp-topic/a"])
def test_unsubscribe_may_delete_a_temporary_destination(destination: str) -> None:
    made = request("UNSUBSCRIBE", {"id": "0", "destination": destination, "delete": "true"})

    assert isinstance(made, Unsubscribe)
    assert (made.subscription_id, made.deleted) == ("0", parse_destination(destination))


def test_unsubscribe_deletes_nothing_unless_asked() -> None:
    made = request("UNSUBSCRIBE", {"id": "0", "destination": "/temp-queue/a", "delete": "false"})

    assert isinstance(made, Unsubscribe)
    assert made.deleted is None


@pytest.mark.parametrize("destination", ["", "/queue/a", "/reply-queue/a"])
def test_unsubscribe_deletes_only_what_is_the_sessions_own(destination: str) -> None:
    with pytest.raises(InvalidHeader, match="one of this connection's temporary destinations"):
        request("UNSUBSCRIBE", {"id": "0", "destination": destination, "delete": "true"})


def test_deleting_is_a_yes_or_a_no() -> None:
    with pytest.raises(InvalidHeader, match="delete:perhaps"):
        request("UNSUBSCRIBE", {"id": "0", "delete": "perhaps"})
