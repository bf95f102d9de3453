"""Last values: of the messages that wait in a queue with the same key, only the newest one counts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Entry
from stompd.broker.ledger import Work
from stompd.broker.message import Message, Place
from stompd.broker.units import DeleteMessage, LastValue
from stompd.broker.withdrawal import lose, withdraw

if TYPE_CHECKING:
    from stompd.broker.queue import Queue


@final
class _Value:
    """The newest message with a key."""

    __slots__ = ("found", "has_arrived", "is_persistent")

    def __init__(self, found: LastValue, *, is_persistent: bool, has_arrived: bool) -> None:
        self.found = found
        self.is_persistent = is_persistent
        self.has_arrived = has_arrived


@final
class LastValues:
    """Which message of a queue has which key.

    The row of a message that is replaced is deleted in the unit of the new one. What is with a consumer, or comes back
    from one later, is not replaced; nor is what need not survive and is stored because memory is full.
    """

    __slots__ = ("_expected", "_keys", "_queue", "_values")

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._values: dict[str, _Value] = {}
        self._keys: dict[int, str] = {}
        #: What was replaced while it was in the store, and may come with a page that was asked for before.
        self._expected: dict[Place, Entry | None] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def recover(self, found: LastValue) -> None:
        """Take over a message that the store holds."""
        self._note(found.key, _Value(found, is_persistent=True, has_arrived=True))

    def replace(self, message: Message, key: str, work: Work) -> None:
        """Add to the work what lets a new message take the place of the one with the same key, if it has one."""
        if not key:
            return
        older = self._values.get(key)
        found = LastValue(self._queue.queue_id, message.place, key, len(message.body))
        value = _Value(found, is_persistent=message.is_persistent, has_arrived=False)
        self._note(key, value)
        work.steps.append(partial(self._arrive, value))
        work.undo.append(partial(self._take_back, key, value, older))
        if older is None:
            return
        queue, place = self._queue, older.found.place
        if older.has_arrived:
            entry = None if self._is_ahead(older) else queue.window.remove(place)
            if entry is not None:
                lose(queue, entry)
                work.undo.append(partial(queue.put_back, entry, is_counted=False))
            elif self._may_come(older):
                self._expected[place] = None
                work.steps.append(partial(self._forget_expected, place))
                work.undo.append(partial(self._put_back, place))
            elif not (queue.is_durable and self._is_in_store(older)):
                return
            work.steps.append(partial(queue.forget, place.message_id, older.found.body_bytes))
        else:
            work.steps.append(partial(self._withdraw, older))
        if older.is_persistent and queue.is_durable:
            work.operations.append(DeleteMessage(queue.queue_id, place))

    def page_came(self) -> None:
        """Let nobody have what was replaced and has come with a page."""
        for place in self._expected:
            entry = self._queue.window.remove(place)
            if entry is not None:
                lose(self._queue, entry)
                self._expected[place] = entry
            else:
                withdraw(self._queue, place)  # somebody's selector has found it

    def forget(self, message_id: int) -> None:
        """Note that a message has left the queue."""
        key = self._keys.pop(message_id, None)
        if key is not None and self._values[key].found.place.message_id == message_id:
            del self._values[key]

    def _note(self, key: str, value: _Value) -> None:
        self._values[key] = value
        self._keys[value.found.place.message_id] = key

    def _is_ahead(self, value: _Value) -> bool:
        selections = self._queue.selections
        return selections is not None and value.found.place in selections.ahead

    def _is_in_store(self, value: _Value) -> bool:
        """Whether a message waits in the store alone; if it was ahead of the window, it is no more."""
        queue, place = self._queue, value.found.place
        if self._is_ahead(value):
            return withdraw(queue, place) is not None
        return not self._is_reading and value.is_persistent and queue.window.is_behind(place)

    def _may_come(self, value: _Value) -> bool:
        """Whether a message is in the store, where a page that was asked for may have found it."""
        return (self._is_reading or self._queue.window.is_loading) and self._is_unread(value)

    def _is_unread(self, value: _Value) -> bool:
        """Whether a message is in the store, and nobody has come up to it."""
        queue = self._queue
        is_stored = queue.is_durable and value.is_persistent
        return is_stored and not self._is_ahead(value) and not queue.window.has_passed(value.found.place)

    @property
    def _is_reading(self) -> bool:
        selections = self._queue.selections
        return selections is not None and selections.is_reading

    def _forget_expected(self, place: Place) -> None:
        del self._expected[place]

    def _put_back(self, place: Place) -> None:
        """Undo that a message was replaced, which has come since or is in the store."""
        entry = self._expected.pop(place)
        if entry is not None:
            self._queue.put_back(entry, is_counted=False)

    def _arrive(self, value: _Value) -> None:
        value.has_arrived = True

    def _withdraw(self, value: _Value) -> None:
        """Remove a message that was on its way when the newer one was sent, unless somebody has got it."""
        place = value.found.place
        if withdraw(self._queue, place) or self._is_unread(value):  # its row is deleted
            self._queue.forget(place.message_id, value.found.body_bytes)

    def _take_back(self, key: str, value: _Value, older: _Value | None) -> None:
        self.forget(value.found.place.message_id)
        if older is not None and key not in self._values:
            self._note(key, older)
