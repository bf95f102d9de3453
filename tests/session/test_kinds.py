"""Destinations as Artemis names them: a name alone, and its kind in a header."""

from __future__ import annotations

import pytest

from stompd.broker.requests import Send, Subscribe
from stompd.errors import InvalidDestination, InvalidHeader
from tests.session.peer import request


@pytest.mark.parametrize(
    ("text", "kind", "path"),
    [
        ("orders", "ANYCAST", "/queue/orders"),
        ("orders", "anycast", "/queue/orders"),
        ("prices", "MULTICAST", "/topic/prices"),
        ("/queue/orders", "ANYCAST", "/queue/orders"),
        ("topic://prices", "MULTICAST", "/topic/prices"),
        ("/queue/orders", "", "/queue/orders"),
    ],
)
def test_kind_stands_for_a_prefix(text: str, kind: str, path: str) -> None:
    sent = request("SEND", {"destination": text, "destination-type": kind})
    subscribed = request("SUBSCRIBE", {"destination": text, "subscription-type": kind, "id": "1"})

    assert isinstance(sent, Send)
    assert isinstance(subscribed, Subscribe)
    assert sent.destination.path == subscribed.destination.path == path


def test_destination_of_the_message_is_spelled_as_it_was() -> None:
    sent = request("SEND", {"destination": "orders", "destination-type": "ANYCAST"})

    assert isinstance(sent, Send)
    assert sent.message.destination == "orders"
    assert sent.message.headers == {"destination-type": "ANYCAST"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [("/queue/orders", "MULTICAST"), ("topic://prices", "ANYCAST"), ("orders", "UNICAST"), ("/queue/orders", "queue")],
)
def test_kind_that_does_not_fit_is_refused(text: str, kind: str) -> None:
    with pytest.raises(InvalidHeader, match=f"destination-type:{kind}"):
        request("SEND", {"destination": text, "destination-type": kind})


def test_name_alone_is_no_destination() -> None:
    with pytest.raises(InvalidDestination):
        request("SEND", {"destination": "orders"})
