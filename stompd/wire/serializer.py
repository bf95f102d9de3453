"""Frames to octets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from stompd.errors import InvalidHeader
from stompd.wire.escaping import NEVER_ESCAPED, escape
from stompd.wire.frame import Frame, Version

#: STOMP 1.2 "Body": only the SEND, MESSAGE, and ERROR frames may have a body.
_WITH_BODY = frozenset({"SEND", "MESSAGE", "ERROR"})

#: Characters that no version can write in a header: NUL ends the frame, and a lone surrogate has no UTF-8.
_UNWRITABLE = re.compile(r"[\0\ud800-\udfff]")

_LINE_ENDS = re.compile(r"[\r\n]")


def serialize(frame: Frame, version: Version | None) -> bytes:
    """Return a whole frame, its NUL included.

    `content-length` is written for every frame that can have a body; it says how many octets follow, whatever the
    frame's own header says.

    Args:
        frame: What to write; it is not changed.
        version: The version of the session; None before one is negotiated.

    Raises:
        InvalidHeader: No version can write one of the headers; see `encode_headers`.
    """
    headers = frame.headers
    if frame.command in _WITH_BODY or frame.body:
        # STOMP 1.2 "Header content-length": a count of octets, due when the body has NULs and recommended always.
        headers = {**headers, "content-length": str(len(frame.body))}
    if version is None or frame.command in NEVER_ESCAPED:
        version = Version.V1_0
    return b"%b\n%b\n%b\0" % (frame.command.encode(), encode_headers(headers, version), frame.body)


def encode_headers(headers: Mapping[str, str], version: Version) -> bytes:
    """Return header lines, each with its line end, without the blank line behind them.

    1.1 and 1.2 escape names and values. 1.0 has no escapes: line ends are dropped from values, and a header whose name
    has a line end or a colon is left out, so that what a newer client sent never splits a frame.

    Raises:
        InvalidHeader: A name is empty, or a name or value has a NUL or a lone surrogate; no version can write that.
    """
    lines = "".join([f"{name}:{value}\n" for name, value in headers.items()])
    if not _is_plain(lines, len(headers)):
        lines = _literal_lines(headers) if version is Version.V1_0 else _escaped_lines(headers, version)
    if "\0" in lines or "" in headers:
        raise _invalid(headers)
    try:
        # STOMP 1.2 "STOMP Frames": commands and headers are encoded in UTF-8.
        return lines.encode()
    except UnicodeEncodeError:
        raise _invalid(headers) from None


def _is_plain(lines: str, count: int) -> bool:
    """Return whether header lines mean the same in every version."""
    return "\\" not in lines and "\r" not in lines and lines.count("\n") == count == lines.count(":")


def _escaped_lines(headers: Mapping[str, str], version: Version) -> str:
    # STOMP 1.1 and 1.2 "Value Encoding": header names are escaped as well as values.
    # Many values are plain words and numbers, which cost no call.
    return "".join(
        [
            f"{escape(name, version)}:{value if value.isalnum() else escape(value, version)}\n"
            for name, value in headers.items()
        ]
    )


def _literal_lines(headers: Mapping[str, str]) -> str:
    # STOMP 1.0 defines no escapes, so what would end the line or the name early cannot be written.
    return "".join(
        [
            f"{name}:{_LINE_ENDS.sub('', value)}\n"
            for name, value in headers.items()
            if ":" not in name and not _LINE_ENDS.search(name)
        ]
    )


def _invalid(headers: Mapping[str, str]) -> InvalidHeader:
    """Return the error that names the first header no version can write."""
    name = next(name for name, value in headers.items() if not name or _UNWRITABLE.search(name + value))
    return InvalidHeader(
        f"The header {name!r} cannot be written: a header needs a name, and neither that nor its value can contain a "
        "NUL or a lone surrogate."
    )
