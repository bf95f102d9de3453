"""How brokers spell destinations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic, is_usable
from jms_api.profiles import Profile

#: What brokers make of the temporary queues of others; such names go back as they came.
_REPLY_PREFIXES: Final[Mapping[str, type[Destination]]] = {
    "/reply-queue/": TemporaryQueue,
    "/reply-topic/": TemporaryTopic,
    "/remote-temp-queue/": TemporaryQueue,
    "/remote-temp-topic/": TemporaryTopic,
}

_SPELLINGS: Final[Mapping[str, type[Destination]]] = {
    **_REPLY_PREFIXES,
    "/temp-queue/": TemporaryQueue,
    "/temp-topic/": TemporaryTopic,
    "temp-queue://": TemporaryQueue,
    "temp-topic://": TemporaryTopic,
    "/queue/": Queue,
    "/topic/": Topic,
    "queue://": Queue,
    "topic://": Topic,
}


def spell(destination: Destination, profile: Profile) -> str:
    """Return a destination as a broker spells it."""
    name = destination.name
    if name.startswith("/"):
        return name
    if profile.quotes_slashes:
        name = quote(name, safe="")
    return next(prefix for kind, prefix in profile.prefixes.items() if isinstance(destination, kind)) + name


def destination_headers(destination: Destination, profile: Profile, *, is_subscription: bool = False) -> dict[str, str]:
    """Return the headers that name the destination of a SEND, or of a SUBSCRIBE."""
    headers = {"destination": spell(destination, profile)}
    if profile.kind_headers:
        kind = "MULTICAST" if isinstance(destination, Topic) else "ANYCAST"
        headers["subscription-type" if is_subscription else "destination-type"] = kind
    return headers


def read_destination(text: str | None, profile: Profile) -> Destination | None:
    """Return the destination that a header names; None if there is none, or it has a NUL.

    What is spelled as no broker spells it becomes a queue, so that it is at least shown.
    """
    if not text or not is_usable(text):
        return None
    for prefix, kind in _SPELLINGS.items():
        if text.startswith(prefix):
            name = text[len(prefix) :]
            if profile.quotes_slashes:
                name = unquote(name)
            # A name that begins with a slash is the broker's own spelling, as is that of another's temporary queue.
            is_verbatim = prefix in _REPLY_PREFIXES or name.startswith("/") or not is_usable(name)
            return kind(text if is_verbatim else name)
    return Queue(text)
