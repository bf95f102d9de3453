"""How a SUBSCRIBE wants to take from its queue: look only, before others, alone, or little at a time."""

from __future__ import annotations

from collections.abc import Mapping

from stompd.broker.destination import MAX_NAME_LENGTH, Destination, Kind
from stompd.broker.requests import ORDINARY, AckMode, Terms
from stompd.errors import InvalidHeader
from stompd.session.headers import invalid, parse_boolean, parse_integer, show

EXCLUSIVE_NAMES = ("exclusive", "activemq.exclusive", "x-single-active-consumer")
PRIORITY_NAMES = ("consumer-priority", "x-priority", "activemq.priority")
WINDOW_NAME = "consumer-window-size"

_HIGHEST_INTEGER = 2**31 - 1

#: Artemis' word for a window without a limit.
_NO_LIMIT = -1


def read_terms(headers: Mapping[str, str], destination: Destination, ack_mode: AckMode) -> Terms:
    """Return what a SUBSCRIBE says of it.

    Args:
        headers: Those of the frame.
        destination: What it subscribes to.
        ack_mode: How its deliveries are settled.

    Raises:
        InvalidHeader: A value cannot be used, or headers contradict each other.
    """
    browser = headers.get("browser", "")
    if browser and parse_boolean("browser", browser):
        return _browse(headers, destination, ack_mode)
    end = headers.get("browser-end", "")
    if end and not parse_boolean("browser-end", end):
        raise InvalidHeader(
            f"{show('browser-end', end)} on SUBSCRIBE goes with browser:true. Add that to look at a queue without"
            " taking anything, or leave browser-end out."
        )
    terms = Terms(is_exclusive=_is_exclusive(headers), priority=_priority(headers), window_bytes=_window(headers))
    return ORDINARY if terms == ORDINARY else terms


def _is_exclusive(headers: Mapping[str, str]) -> bool:
    return any(parse_boolean(name, headers[name]) for name in EXCLUSIVE_NAMES if headers.get(name))


def _priority(headers: Mapping[str, str]) -> int:
    for name in PRIORITY_NAMES:
        if value := headers.get(name):
            return parse_integer(name, value, -_HIGHEST_INTEGER - 1, _HIGHEST_INTEGER, 10)
    return 0


def _window(headers: Mapping[str, str]) -> int | None:
    """Return how many bytes may be outstanding; None for as many as the broker allows."""
    value = headers.get(WINDOW_NAME)
    if value:
        size = parse_integer(WINDOW_NAME, value, _NO_LIMIT, _HIGHEST_INTEGER, 65_536)
        return None if size == _NO_LIMIT else size
    # Apollo's credit is count[,bytes].
    value = headers.get("credit", "").partition(",")[2]
    return parse_integer("credit", value, 0, _HIGHEST_INTEGER, 65_536) if value else None


def _browse(headers: Mapping[str, str], destination: Destination, ack_mode: AckMode) -> Terms:
    if destination.kind is not Kind.QUEUE or not destination.is_plain:
        raise InvalidHeader(
            f"browser:true on SUBSCRIBE looks at one queue, which {destination.path[:MAX_NAME_LENGTH]} is not."
            " Leave browser out, or name a queue, for example destination:/queue/orders."
        )
    if ack_mode is not AckMode.AUTO:
        raise invalid("ack", headers["ack"], "auto beside browser:true, since nothing is taken that could be settled")
    if _is_exclusive(headers) or _priority(headers):
        raise InvalidHeader(
            "exclusive and consumer-priority on SUBSCRIBE are for those who take messages, and browser:true takes none."
            " Leave it or them out."
        )
    end = headers.get("browser-end", "")
    return Terms(
        is_browser=True, follows=bool(end) and not parse_boolean("browser-end", end), window_bytes=_window(headers)
    )
