"""Header escaping: how 1.1 and 1.2 write line ends, colons and backslashes inside header names and values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stompd.errors import MalformedFrame
from stompd.wire.frame import Version

#: Commands whose headers are literal in every version. STOMP 1.2 "Value Encoding": all frames except the CONNECT and
#: CONNECTED frames are escaped, which keeps the frames that negotiate the version readable to 1.0; and "CONNECT or
#: STOMP Frame": STOMP is treated exactly as CONNECT.
NEVER_ESCAPED = frozenset({"CONNECT", "STOMP", "CONNECTED"})

#: Looked up once, since Python 3.11 takes longer to find a member of an Enum than to escape a header.
_V1_0, _V1_2 = Version.V1_0, Version.V1_2

#: As many characters of a header name as an ERROR quotes: enough to find it, too few to flood a log.
_QUOTED_CHARACTERS = 40

_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)

#: What the character behind a backslash stands for; 1.0 has no escapes.
_MEANINGS: dict[Version, dict[str, str]] = {
    # STOMP 1.1 "Value Encoding": \n, \c and \\, and nothing else.
    Version.V1_1: {"n": "\n", "c": ":", "\\": "\\"},
    # STOMP 1.2 "Value Encoding": \r as well.
    Version.V1_2: {"n": "\n", "c": ":", "r": "\r", "\\": "\\"},
}


def escape(text: str, version: Version) -> str:
    """Return a header name or value as it is written on the wire.

    The exact reverse of `unescape`. In 1.1 a CR stays as it is; in 1.0 everything does.

    Spec: STOMP 1.1 and 1.2, "Value Encoding".
    """
    if version is _V1_0:
        return text
    # The backslash comes first, so that the backslashes of the other escapes are not doubled.
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace(":", "\\c")
    return text.replace("\r", "\\r") if version is _V1_2 else text


def unescape(text: str, version: Version, *, header: str = "") -> str:
    """Return the header name or value that was written as `text`.

    Args:
        text: What stands before or behind the first colon of a header line.
        version: Which escapes there are; in 1.0 the text is returned as it is.
        header: The name of the header, for the error; empty when it is not known.

    Raises:
        MalformedFrame: A backslash is not followed by one of the characters the version defines.

    Spec: STOMP 1.1 and 1.2, "Value Encoding".
    """
    # STOMP 1.0 has no escapes: a backslash is an ordinary character.
    if version is _V1_0 or "\\" not in text:
        return text
    meanings = _MEANINGS[version]

    def meaning(match: re.Match[str]) -> str:
        try:
            return meanings[match[1]]
        except KeyError:
            # STOMP 1.2 "Value Encoding": undefined escape sequences MUST be treated as a fatal protocol error.
            raise MalformedFrame(_describe(match[1], version, header)) from None

    # One pass from left to right, so that an escaped backslash never becomes the start of another escape.
    return _ESCAPE.sub(meaning, text)


def _describe(character: str, version: Version, header: str) -> str:
    """Say which escape is wrong, where, and what would be right."""
    where = f"header {header[:_QUOTED_CHARACTERS]!r}" if header else "header"
    if header.lower() == "passcode":
        what = "an escape"  # what stands behind the backslash is part of a secret
    elif not character:
        what = "a backslash at its end"
    else:
        what = f"the escape \\{character}" if character.isprintable() else f"a backslash before {character!r}"
    known = ", ".join(f"\\{known}" for known in _MEANINGS[version])
    return (
        f"The {where} has {what}, which STOMP {version.value} does not define. "
        f"It accepts {known}; a backslash itself is written \\\\."
    )


def unescape_headers(headers: Mapping[str, str], version: Version) -> dict[str, str]:
    """Return all headers unescaped.

    Raises:
        MalformedFrame: As `unescape` does.
    """
    unescaped: dict[str, str] = {}
    for header, value in headers.items():
        # Few headers of a frame are escaped; the others cost no call.
        name = unescape(header, version, header=header) if "\\" in header else header
        text = unescape(value, version, header=header) if "\\" in value else value
        # STOMP 1.2 "Repeated Header Entries": the first one wins, also of two spellings of one name.
        unescaped.setdefault(name, text)
    return unescaped
