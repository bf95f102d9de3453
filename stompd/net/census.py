"""The census: how many connections there are from an address, of a user, and on a virtual host."""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias, final

from stompd.errors import LimitExceeded

#: What is counted, and of what: `("user", "ann")`.
Place: TypeAlias = tuple[str, ...]


@final
class Census:
    """Counts connections; each keeps a list of where it was counted."""

    def __init__(self) -> None:
        self._counts: Counter[Place] = Counter()

    def enter(self, counted: list[Place], place: Place, limit: int, setting: str) -> None:
        """Count a connection in one more place.

        Args:
            counted: Where it was counted so far; the place is added.
            place: Where it is counted now.
            limit: How many there may be; 0 for any number.
            setting: What has to be changed to allow more.

        Raises:
            LimitExceeded: There are as many as allowed.
        """
        count = self._counts[place]
        if limit and count >= limit:
            raise LimitExceeded(
                f"There are {count} connections of {place[0]} {place[-1]}, which is the limit (setting {setting})."
                " Close some, or try later."
            )
        self._counts[place] = count + 1
        counted.append(place)

    def leave(self, counted: list[Place]) -> None:
        """Take a connection out of all places where it was counted."""
        for place in counted:
            self._counts[place] -= 1
            if not self._counts[place]:
                del self._counts[place]
        counted.clear()
