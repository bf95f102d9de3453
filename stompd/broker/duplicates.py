"""Messages that are sent twice: within a window, the second one with the same id has no effect."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias, final

from stompd.broker.identity import time_ms
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Message
from stompd.broker.units import ForgetSend, Recovered, RememberSend
from stompd.errors import RefusedByStore

#: A destination's path, and what the sender calls the message.
Key: TypeAlias = tuple[str, str]

#: What the RECEIPT of a duplicate says.
_DUPLICATE = {"duplicate": "true"}

#: Entries of the order that are out of date may be so many more than the others.
_SLACK = 64


@final
class Duplicates:
    """Remembers which messages were sent to which destination, for a time and up to a number.

    What a message that is not persistent was called is in memory only: the message is gone after a crash, too.
    """

    __slots__ = ("_found", "_ledger", "_limits", "_order", "_total", "_windows", "work")

    def __init__(self, limits: Limits, ledger: Ledger) -> None:
        self._limits = limits
        self._ledger = ledger
        #: By path and id, the message and whether the store knows it; the oldest first.
        self._windows: dict[str, dict[str, tuple[int, bool]]] = {}
        self._total = 0
        #: All of them, the oldest first, and some that are forgotten.
        self._order: deque[tuple[int, Key]] = deque()
        #: The last work in which there was a duplicate: it has to wait for everything before, since what made it one
        #: may not be durable yet.
        self.work: Work | None = None
        self._found: list[Key] = []  # its duplicates

    def recover(self, recovered: Recovered) -> None:
        """Take over what the store holds."""
        for sent in recovered.sends:
            self._note(sent.path, sent.dedup_id, sent.message_id, is_stored=True)

    def choose(self, paths: Sequence[str], dedup_id: str, now: float, work: Work) -> list[bool]:
        """Return of each destination whether a message goes there: whether no other one with the same id did.

        The RECEIPT speaks of a duplicate if it goes nowhere. It is sent once the first one is durable, for the caller
        lets its work wait for everything before.
        """
        self._prune(now, work)
        chosen = [dedup_id not in self._windows.get(path, ()) for path in paths]
        if not all(chosen):
            if self.work is not work:
                self.work, self._found = work, []
                work.steps.append(partial(self._verify, self._found, work))
            self._found += [(path, dedup_id) for path, is_new in zip(paths, chosen, strict=True) if not is_new]
        if not any(chosen):
            work.headers = {**work.headers, **_DUPLICATE}
        return chosen

    def remember(self, path: str, dedup_id: str, message: Message, work: Work) -> None:
        """Add to the work what remembers a message that its destination has taken."""
        is_stored = message.is_persistent
        if is_stored:
            work.operations.append(RememberSend(path, dedup_id, message.message_id))
        self._note(path, dedup_id, message.message_id, is_stored=is_stored)
        work.undo.append(partial(self._forget, (path, dedup_id), message.message_id))
        if len(self._windows[path]) > self._limits.dedup_count:
            self._drop((path, next(iter(self._windows[path]))), work)
        while self._total > self._limits.dedup_total:
            self._drop_oldest(work)

    def _note(self, path: str, dedup_id: str, message_id: int, *, is_stored: bool) -> None:
        self._windows.setdefault(path, {})[dedup_id] = (message_id, is_stored)
        self._total += 1
        self._order.append((message_id, (path, dedup_id)))

    def _prune(self, now: float, work: Work) -> None:
        """Forget what is too old."""
        oldest_ms = int((now - self._limits.dedup_seconds) * 1000)
        if len(self._order) > 2 * self._total + _SLACK:
            self._order = deque(item for item in self._order if self._has(item))
        while self._order:
            message_id, key = self._order[0]
            if self._has(self._order[0]):
                if time_ms(message_id) >= oldest_ms:
                    return
                self._drop(key, work)
            self._order.popleft()

    def _drop_oldest(self, work: Work) -> None:
        """Forget the oldest one."""
        while not self._has(self._order[0]):
            self._order.popleft()
        self._drop(self._order.popleft()[1], work)

    def _has(self, item: tuple[int, Key]) -> bool:
        message_id, (path, dedup_id) = item
        found = self._windows.get(path, {}).get(dedup_id)
        return found is not None and found[0] == message_id

    def _drop(self, key: Key, work: Work) -> None:
        path, dedup_id = key
        message_id, is_stored = self._windows[path][dedup_id]
        if is_stored:
            work.operations.append(ForgetSend(path, dedup_id))
        self._forget(key, message_id)

    def _forget(self, key: Key, message_id: int) -> None:
        if self._has((message_id, key)):
            path, dedup_id = key
            del self._windows[path][dedup_id]
            self._total -= 1
            if not self._windows[path]:
                del self._windows[path]

    def _verify(self, found: Sequence[Key], work: Work) -> None:
        """Refuse a work with duplicates if the store has refused the first one of any meanwhile."""
        for path, dedup_id in found:
            if dedup_id not in self._windows.get(path, ()):
                detail = f"The store refused another message with dedup-id:{dedup_id}, and this one was dropped for it."
                self._ledger.fail(work, RefusedByStore(detail))
                return
