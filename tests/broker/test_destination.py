"""What destination names mean, and which are refused."""

from __future__ import annotations

import pytest

from stompd.broker.destination import MAX_NAME_LENGTH, Kind, parse_destination
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
    with pytest.raises(InvalidDestination, match="reserved for wildcards and lists"):
        parse_destination(f"/topic/a{character}b")
