"""Where in the past a SUBSCRIBE begins: the spellings of that."""

from __future__ import annotations

from collections.abc import Mapping

from stompd.broker.identity import first_id
from stompd.broker.requests import Naming, Origin
from stompd.errors import InvalidHeader
from stompd.session.headers import HIGHEST_INTEGER, OFF, TRUE, invalid, parse_integer, show

#: In the order in which they are looked for.
ORIGIN_NAMES = ("from-seq", "x-stream-offset", "from-time", "retroactive", "activemq.retroactive")

_OFFSETS = "first, last, next, offset=NUMBER or timestamp=SECONDS, for example x-stream-offset:first"


def read_origin(headers: Mapping[str, str], naming: Naming | None, *, no_local: bool) -> Origin | None:
    """Return where in the past a subscription of a topic begins; None for the present.

    Raises:
        InvalidHeader: A value cannot be used, or the headers do not go together.
    """
    origins = [origin for name in ORIGIN_NAMES if (origin := _read(name, headers.get(name, ""))) is not None]
    if not origins:
        return None
    header = origins[0].header
    for other in origins[1:]:
        if other[1:] != origins[0][1:]:
            raise InvalidHeader(
                f"{header} and {other.header} on one frame contradict each other. Leave one of them out."
            )
    if naming is not None:
        raise InvalidHeader(
            f"{header} is for subscriptions without a name. A durable one has a past of its own; one without a name"
            " can go on where it was, from the header seq of the last message that it had."
        )
    if no_local:
        raise InvalidHeader(f"{header} and no-local:true do not go together: who sent what is not kept.")
    return origins[0]


def _read(name: str, value: str) -> Origin | None:
    if not value:
        return None
    header = show(name, value)
    if name == "from-time":
        return Origin(header, first_id(parse_integer(name, value, 0, HIGHEST_INTEGER >> 22, 1_900_000_000_000)))
    if name == "x-stream-offset":
        return _read_offset(header, value)
    if name == "from-seq":
        first = parse_integer(name, value, -1, HIGHEST_INTEGER, 1)
        return Origin(header, first) if first >= 0 else None
    word = value.lower()
    if word in TRUE or word in OFF:
        return Origin(header) if word in TRUE else None
    return Origin(header, newest=_read_count(name, value))


def _read_count(name: str, value: str) -> int:
    """Return how many of the newest messages are wanted."""
    try:
        return parse_integer(name, value, 2, HIGHEST_INTEGER, 10)
    except InvalidHeader:
        raise invalid(
            name, value, f"true, false, 1, 0, yes or no, or a number from 2 to {HIGHEST_INTEGER}, for example {name}:10"
        ) from None


def _read_offset(header: str, value: str) -> Origin | None:
    word, sign, number = value.partition("=")
    if value == "next":
        return None
    if value in ("first", "last"):
        return Origin(header, newest=value == "last")
    digits = number if sign else value
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19) or (
        sign and word not in ("offset", "timestamp")
    ):
        raise invalid("x-stream-offset", value, _OFFSETS)
    if word == "timestamp":
        return Origin(header, first_id(min(1000 * int(digits), HIGHEST_INTEGER >> 22)))
    return Origin(header, int(digits))
