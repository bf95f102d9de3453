"""Artemis' way to name a destination: a name alone, and its kind in a header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stompd.session.headers import invalid

#: The header that says the kind, by command.
KIND_HEADERS: Final[Mapping[str, str]] = {"SEND": "destination-type", "SUBSCRIBE": "subscription-type"}

#: By Artemis' word: our prefix, and the prefixes that say the opposite.
_KINDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "ANYCAST": ("/queue/", ("/topic/", "topic://")),
    "MULTICAST": ("/topic/", ("/queue/", "queue://")),
}


def qualify(command: str, headers: Mapping[str, str], text: str) -> str:
    """Return a destination with its prefix, if it has none and a header says its kind; else as it is.

    Raises:
        InvalidHeader: The kind is none of Artemis', or the prefix says the opposite.
    """
    name = KIND_HEADERS[command]
    value = headers.get(name)
    if not value:
        return text
    kind = _KINDS.get(value.upper())
    if kind is None:
        raise invalid(name, value, f"ANYCAST for a queue or MULTICAST for a topic, for example {name}:ANYCAST")
    prefix, opposites = kind
    if text.startswith(opposites):
        raise invalid(name, value, f"a kind that fits the destination {text[:80]}, or none")
    return text if text.startswith("/") or "://" in text else prefix + text
