"""What a sender says of its properties' types, and whether their values are of them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final

from stompd.broker.matching import RENAMED_PREFIX, TYPES_HEADER
from stompd.errors import InvalidHeader
from stompd.session.headers import invalid, show

#: How Java spells a number with a fraction.
_FLOAT: Final = re.compile(r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")


def _is_integer(text: str, bits: int) -> bool:
    highest = 1 << bits - 1
    return _INTEGER.fullmatch(text) is not None and -highest <= int(text) < highest


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text.encode(), validate=True)
    except binascii.Error:
        return False
    return True


_FRACTION: Final = "a number such as 1.5, 2e9, NaN or Infinity"

#: By code: whether a text spells a value of the type, and which ones do. A text may be anything, and what is null has
#: no header of its own.
_TYPES: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "Z": (frozenset({"true", "false"}).__contains__, "true or false"),
    "B": (partial(_is_integer, bits=8), "a number from -128 to 127"),
    "S": (partial(_is_integer, bits=16), "a number from -32768 to 32767"),
    "I": (partial(_is_integer, bits=32), "a number from -2147483648 to 2147483647"),
    "J": (partial(_is_integer, bits=64), f"a number from {-(2**63)} to {2**63 - 1}"),
    "F": (_FLOAT.fullmatch, _FRACTION),
    "D": (_FLOAT.fullmatch, _FRACTION),
    "T+b": (_is_base64, "a text in base64"),
}
_ANYTHING: Final = frozenset({"T", "N"})

_FORM: Final = (
    "a list of NAME=TYPE, where TYPE is Z (boolean), B, S, I, J (integers of 8, 16, 32 and 64 bits), F, D (float,"
    f" double), T (text), T+b (text in base64) or N (null), for example {TYPES_HEADER}:age=I,ok=Z"
)


def check_types(headers: Mapping[str, str]) -> None:
    """Refuse a message whose properties are not what its sender says they are.

    A property that is named and not there is left alone.

    Raises:
        InvalidHeader: The list of types cannot be read, or a value is not of its type.

    Spec: JMS 3.1, 3.5.4 and 3.8.1.1.
    """
    told = headers.get(TYPES_HEADER)
    if not told:
        return
    for name, code in _read_types(told):
        renamed = f"{RENAMED_PREFIX}{name}"
        header = renamed if renamed in headers else name
        text = headers.get(header)
        is_one, accepted = _TYPES[code]
        if text is not None and not is_one(text):
            raise InvalidHeader(
                f"{show(header, text)} cannot be used, since {TYPES_HEADER} says {name[:80]}={code}."
                f" Accepted is {accepted}."
            )


@lru_cache(maxsize=256)  # a program tells the same of all its messages; a header line is bounded
def _read_types(text: str) -> tuple[tuple[str, str], ...]:
    """Return the names and codes of a list of types that are not just texts."""
    entries = [entry.strip(" ").partition("=") for entry in text.split(",")]
    for name, _, code in entries:
        if not name or not (code in _TYPES or code in _ANYTHING):
            raise invalid(TYPES_HEADER, text, _FORM)
    return tuple([(name, code) for name, _, code in entries if code in _TYPES])
