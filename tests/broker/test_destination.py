"""What destination names mean, and which are refused."""

from __future__ import annotations

import pytest

from stompd.broker.destination import (
    MAX_NAME_LENGTH,
    MAX_PARTS,
    Destination,
    Kind,
    parse_destination,
    parse_source,
    parse_target,
)
from stompd.errors import InvalidDestination


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("/queue/orders", Kind.QUEUE, "orders"),
        ("/topic/prices", Kind.TOPIC, "prices"),
        ("queue://orders", Kind.QUEUE, "orders"),
        ("topic://prices", Kind.TOPIC, "prices"),
        ("/queue/orders/eu", Kind.QUEUE, "orders/eu"),
        ("/queue/orders%2Feu", Kind.QUEUE, "orders/eu"),
        ("/queue/orders%2feu", Kind.QUEUE, "orders/eu"),
        ("/queue/Größe 1.a-b_c", Kind.QUEUE, "Größe 1.a-b_c"),
    ],
)
def test_destination_is_parsed(text: str, kind: Kind, name: str) -> None:
    destination = parse_destination(text)

    assert (destination.kind, destination.name) == (kind, name)


def test_path_is_the_canonical_spelling() -> None:
    assert parse_destination("queue://orders%2Feu").path == "/queue/orders/eu"


@pytest.mark.parametrize("text", ["", "orders", "/orders", "/queue", "/Queue/a", "/exchange/a", "/reply/a"])
def test_unknown_prefix_is_refused(text: str) -> None:
    with pytest.raises(InvalidDestination, match="has no prefix this broker knows"):
        parse_destination(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("/amq/queue/orders", "/queue/NAME"),
        ("/exchange/amq.topic/prices.eur", "/topic/KEY"),
        ("/exchange/amq.direct/orders", "/topic/NAME for what everybody gets, else /queue/NAME"),
        ("/dsub/billing.prices", "durable-subscription-name"),
        ("dsub:prices", "durable-subscription-name"),
        ("jms.queue.orders", "write /queue/NAME"),
        ("jms.topic.prices", "write /topic/NAME"),
    ],
)
def test_prefix_of_another_broker_is_explained(text: str, hint: str) -> None:
    with pytest.raises(InvalidDestination, match=hint) as caught:
        parse_destination(text)

    assert caught.value.detail.startswith(f"destination:{text} has no prefix this broker knows. ")


@pytest.mark.parametrize("text", ["/queue/", "topic://"])
def test_empty_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidDestination, match="empty name"):
        parse_destination(text)


def test_longest_name_is_accepted() -> None:
    assert parse_destination("/queue/" + "n" * MAX_NAME_LENGTH).name == "n" * MAX_NAME_LENGTH


def test_longer_name_is_refused() -> None:
    with pytest.raises(InvalidDestination, match="256 characters; at most 255"):
        parse_destination("/queue/" + "n" * (MAX_NAME_LENGTH + 1))


def test_long_unknown_destination_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidDestination) as raised:
        parse_destination("x" * 10_000)

    assert len(raised.value.detail) < 1_000


@pytest.mark.parametrize("character", "*>#,")
def test_reserved_character_is_refused(character: str) -> None:
    with pytest.raises(InvalidDestination, match="where one plain name is needed"):
        parse_destination(f"/topic/a{character}b")


@pytest.mark.parametrize("wildcard", ["*", "#", "**", ">"])
def test_wildcard_in_send_is_refused(wildcard: str) -> None:
    with pytest.raises(InvalidDestination, match="are for SUBSCRIBE"):
        parse_target(f"/topic/a.{wildcard}")


@pytest.mark.parametrize("spelling", ["/topic/a.#", "/topic/a.**", "/topic/a.>", "/topic/a.#.**.>"])
def test_spellings_of_any_number_of_words_are_one(spelling: str) -> None:
    assert parse_source(spelling) == Destination(Kind.TOPIC, "a.#", "/topic/a.#", is_plain=False, words=("a", "#"))


@pytest.mark.parametrize("name", ["a*", "*a.b", "a.b#", "a.>.b", ">.a", "a.***", "a.*#", "a.b>"])
def test_wildcard_that_is_not_a_word_is_refused(name: str) -> None:
    with pytest.raises(InvalidDestination, match="wildcard that cannot be used"):
        parse_source(f"/queue/{name}")


def test_temporary_destinations_have_no_wildcards() -> None:
    with pytest.raises(InvalidDestination, match="temporary destinations have none"):
        parse_source("/temp-queue/*")


def test_name_without_wildcards_is_the_plain_place() -> None:
    assert parse_source("/queue/a.b") == parse_destination("/queue/a.b")


def test_list_has_its_parts() -> None:
    found = parse_target("/queue/a,/topic/b, temp-queue://c")

    assert found.parts == (
        parse_destination("/queue/a"),
        parse_destination("/topic/b"),
        parse_destination("/temp-queue/c"),
    )
    assert found.path == "/queue/a,/topic/b,/temp-queue/c"


def test_bare_name_in_a_list_is_of_the_first_ones_kind() -> None:
    assert parse_target("/topic/a,b,c/d").path == "/topic/a,/topic/b,/topic/c/d"


def test_destination_that_is_repeated_counts_once() -> None:
    assert parse_target("/queue/a,queue://a") == parse_destination("/queue/a")


def test_list_in_subscribe_may_have_wildcards() -> None:
    assert parse_source("/queue/a.*,b").path == "/queue/a.*,/queue/b"


@pytest.mark.parametrize("text", ["/queue/a,", ",/queue/a", "/queue/a,,b", "a,/queue/b", "/queue/a,/exchange/b"])
def test_list_with_a_bad_part_is_refused(text: str) -> None:
    with pytest.raises(InvalidDestination):
        parse_target(text)


def test_longest_list_is_accepted() -> None:
    names = ",".join(f"/queue/{number}" for number in range(MAX_PARTS))

    assert len(parse_target(names).parts) == MAX_PARTS


def test_longer_list_is_refused() -> None:
    names = ",".join(f"/queue/{number}" for number in range(MAX_PARTS + 1))

    with pytest.raises(InvalidDestination, match="more destinations than 32"):
        parse_target(names)
