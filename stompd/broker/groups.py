"""Message groups: which subscription of a queue gets the messages of which group.

The first message of a group that is delivered binds the group to its subscription; the others go there too, in order
and one holder at a time, until a message closes the group or the subscription ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, final
from zlib import crc32

from stompd.broker.message import Message, Place

if TYPE_CHECKING:
    from stompd.broker.subscription import Subscription

#: The header that names a message's group; the session puts what other brokers call it there.
GROUP_HEADER: Final = "JMSXGroupID"

#: The header that says which message of its group it is, and what the last one says there.
SEQUENCE_HEADER: Final = "JMSXGroupSeq"
_LAST: Final = "-1"

#: Beyond the limit, groups are put together into so many sets: enough to share the work among many subscriptions.
_SETS: Final = 1_024

#: What is bound to a subscription: a group by its name, or a set of groups by its number.
Key: TypeAlias = str | int


@final
class Groups:
    """The groups of one queue that are bound to subscriptions, up to a limit.

    Beyond it, further groups are put together into a fixed number of sets, each of which is bound like a group, until
    its subscription ends. So the limit never breaks the order of a group, nor gives it two holders.
    """

    __slots__ = ("_closed", "_ends", "_holders", "_is_full", "_limit")

    def __init__(self, limit: int) -> None:
        """Begin without any.

        Args:
            limit: Groups that are bound by themselves.
        """
        self._limit = limit
        self._holders: dict[Key, Subscription] = {}
        self._closed: set[Key] = set()  # nobody may take of these, until `free`
        self._ends: dict[Key, Place] = {}  # of those that are bound, and whose last message nobody will get
        self._is_full = False  # since then, further groups belong to sets, also when there is room again

    def admits(self, subscription: Subscription, message: Message) -> bool:
        """Whether a subscription may take a message: it has no group, or one that is free or the subscription's own."""
        group = message.headers.get(GROUP_HEADER)
        if not group:
            return True
        key = self._key(group)
        return self._holders.get(key, subscription) is subscription and group not in self._closed

    def took(self, subscription: Subscription, message: Message) -> None:
        """Bind the group of a message to the subscription that is given it, or end that with the last message."""
        group = message.headers.get(GROUP_HEADER)
        if not group:
            return
        key = self._key(group)
        if message.headers.get(SEQUENCE_HEADER) == _LAST and key == group:
            self._close(key)
        else:
            self._holders[key] = subscription
            self._is_full = self._is_full or len(self._holders) >= self._limit

    def lost(self, message: Message) -> None:
        """Note that nobody gets a message; if it was the last one of its group, that ends in its place."""
        group = message.headers.get(GROUP_HEADER, "")
        if message.headers.get(SEQUENCE_HEADER) == _LAST and group in self._holders:
            self._ends[group] = message.place

    def end_before(self, message: Message) -> bool:
        """Close the group of the message that its holder would get next, if it has ended before; return whether."""
        group = message.headers.get(GROUP_HEADER, "")
        if group not in self._ends or message.place < self._ends[group]:
            return False
        self._close(group)
        return True

    def leave(self, subscription: Subscription) -> set[Key]:
        """Free the groups of a subscription that takes nothing more, and return them."""
        left = {key for key, holder in self._holders.items() if holder is subscription}
        for key in left:
            del self._holders[key]
            self._ends.pop(key, None)
        self._is_full = self._is_full and bool(self._holders)
        return left

    def free(self) -> set[Key]:
        """Free the groups that have been closed, and return them."""
        freed, self._closed = self._closed, set()
        return freed

    def is_among(self, message: Message, keys: set[Key]) -> bool:
        """Whether the group of a message is one of some."""
        group = message.headers.get(GROUP_HEADER)
        return group is not None and (group in keys or self._key(group) in keys)

    def _close(self, key: Key) -> None:
        self._holders.pop(key, None)
        self._ends.pop(key, None)
        self._closed.add(key)

    def _key(self, group: str) -> Key:
        if not self._is_full or group in self._holders:
            return group
        return crc32(group.encode()) % _SETS
