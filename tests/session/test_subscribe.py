"""SUBSCRIBE and UNSUBSCRIBE in the three versions."""

from __future__ import annotations

import pytest

from stompd.broker.destination import Kind, parse_destination, parse_source
from stompd.broker.requests import AckMode, Subscribe, Unsubscribe
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


def test_canonical_prefetch_wins_over_its_aliases() -> None:
    assert subscribe({"prefetch": "1", "prefetch-count": "2"}).prefetch == 2


@pytest.mark.parametrize("value", ["-1", "many", "", "5,5", str(2**31)])
def test_prefetch_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(InvalidHeader, match=r"prefetch-count:.* for example prefetch-count:10"):
        subscribe({"prefetch-count": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("browser", "true"),
        ("exclusive", "true"),
        ("activemq.exclusive", "true"),
        ("no-local", "true"),
        ("no_local", "1"),
        ("activemq.noLocal", "true"),
        ("retroactive", "10"),
        ("activemq.retroactive", "true"),
        ("from-seq", "0"),
        ("x-stream-offset", "first"),
        ("consumer-priority", "5"),
        ("x-priority", "5"),
        ("activemq.priority", "5"),
        ("consumer-window-size", "0"),
    ],
)
def test_what_is_not_done_yet_is_refused(name: str, value: str) -> None:
    with pytest.raises(UnsupportedHeader) as caught:
        subscribe({name: value})

    assert caught.value.detail.startswith(f"{name}:{value} on SUBSCRIBE asks for ")


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
