"""What the heads of successive SENDs have in common: busy senders repeat theirs, but for the receipt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import final

#: The header that differs from frame to frame where a sender's others do not; such a value needs no unescaping.
_RECEIPT = re.compile(rb"\nreceipt:([!-9;-\[\]-~]+)(?![^\n])")

#: Octets of a head that are kept to be compared with the next one: those of busy senders are shorter.
_LONGEST = 1_000


@final
class Form:
    """A head without the value of its receipt, and what it says."""

    __slots__ = ("_octets", "headers", "length")

    def __init__(self, octets: bytearray) -> None:
        self._octets = octets
        #: All but the receipt; None until they were read.
        self.headers: dict[str, str] | None = None
        #: What content-length says, if it is there.
        self.length: int | None = None

    def complete(self, headers: Mapping[str, str], length: int | None) -> None:
        """Note what the head says, with or without a receipt."""
        self.headers = {name: value for name, value in headers.items() if name != "receipt"}
        self.length = length

    def fits(self, octets: bytearray) -> bool:
        """Whether a head without the value of its receipt is the same."""
        return self._octets == octets


@final
class Forms:
    """Recognizes heads that are like the one before. Not thread-safe."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: Form | None = None

    def recognize(self, head: bytearray) -> tuple[Form | None, str | None]:
        """Return the form of the last head and this one's receipt, if that is how they differ; else remember this one.

        Args:
            head: The octets up to the blank line, of which nothing has been checked.
        """
        found = _RECEIPT.search(head)
        receipt = None if found is None else found[1].decode()
        if found is not None:
            del head[slice(*found.span(1))]
        last = self._last
        if last is not None and last.fits(head):
            return last, receipt
        # One receipt that could be cut out, or none.
        is_clear = head.count(b"\nreceipt:") == (found is not None)
        self._last = Form(head) if is_clear and len(head) <= _LONGEST else None
        return None, None
