"""One meaning said twice: a header beside another spelling of it must say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stompd.errors import InvalidHeader
from stompd.session.dialect import HEADERS, SPELLINGS
from stompd.session.headers import OFF, TRUE, show

#: By command, all spellings but the first ones: a frame with none of them says nothing twice.
_ALIASES: Final[Mapping[str, frozenset[str]]] = {
    command: frozenset([alias for header in headers for alias in header.aliases])
    for command, headers in HEADERS.items()
}


def refuse_contradictions(command: str, headers: Mapping[str, str]) -> None:
    """Refuse a frame that says the same thing in two spellings, with different values; an empty one says nothing.

    Raises:
        InvalidHeader: It does; the error names both.
    """
    if _ALIASES[command].isdisjoint(headers):
        return
    spellings = SPELLINGS[command]
    said: dict[str, str] = {}
    for name in headers:
        if name not in spellings or not headers[name]:
            continue
        other = said.setdefault(spellings[name].name, name)
        if _plain(command, other, headers[other]) != _plain(command, name, headers[name]):
            pair = f"{show(other, headers[other])} and {show(name, headers[name])}"
            raise InvalidHeader(
                f"{pair} on {command} contradict each other, being two spellings of one header. Leave one of them out."
            )


def _plain(command: str, name: str, value: str) -> str:
    """Return what a value says, whatever it is written like."""
    word = value.lower()
    if SPELLINGS[command][name].is_flag:
        return "true" if word in TRUE else "false" if word in OFF else word
    if name == "credit":
        # Apollo: count[,bytes].
        return value.partition(",")[0]
    return value.removeprefix("offset=") if name == "x-stream-offset" else value
