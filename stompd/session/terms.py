"""How a SUBSCRIBE wants to take from its queue: look only, before others, alone, or little at a time."""

from __future__ import annotations

from collections.abc import Mapping

from stompd.broker.destination import Destination, Kind
from stompd.broker.requests import ORDINARY, AckMode, Terms
from stompd.errors import InvalidHeader
from stompd.session.headers import invalid, parse_boolean, show


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
    return ORDINARY


def _browse(headers: Mapping[str, str], destination: Destination, ack_mode: AckMode) -> Terms:
    if destination.kind is not Kind.QUEUE:
        raise InvalidHeader(
            f"browser:true on SUBSCRIBE is for queues, and destination:{destination.path} is none: a topic keeps"
            " nothing to look at. Leave browser out, or name a queue, for example destination:/queue/orders."
        )
    if ack_mode is not AckMode.AUTO:
        raise invalid("ack", headers["ack"], "auto beside browser:true, since nothing is taken that could be settled")
    end = headers.get("browser-end", "")
    return Terms(is_browser=True, follows=bool(end) and not parse_boolean("browser-end", end))
