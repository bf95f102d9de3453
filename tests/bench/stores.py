"""How fast the stores apply batches, alone and beside a thread that is as busy as a reactor can be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Final

from stompd.broker.message import DEFAULT_PRIORITY, HIGHEST_PRIORITY, Message, MessageId, Place, QueueId
from stompd.broker.units import DeleteMessage, InsertMessage, PutQueue, UnitOfWork
from stompd.interfaces import IMessageStore
from stompd.store.factory import make_store
from stompd.wire.frame import Version
from stompd.wire.parser import FrameParser
from tests.bench.figures import Figure, Measure, Stopwatch, WrongResult

_QUEUE: Final = QueueId(1)
_BODY: Final = b"x" * 256
_MESSAGES_OF_A_BATCH: Final = (1, 50, 500)

_FRAMES: Final = b"SEND\ndestination:/queue/bench\nreceipt:00000001\n\n%b\0" % _BODY * 100


def store(seconds: float, place: str, url: Callable[[], str]) -> Iterator[Measure]:
    """Yield measurements of one kind of store.

    Args:
        seconds: How long each goes on.
        place: What the store is called.
        url: Makes the URL of a fresh one.
    """
    for messages in _MESSAGES_OF_A_BATCH:
        for is_beside in (False, True):
            yield partial(_measure, messages, place, url, seconds, is_beside=is_beside)


def _measure(messages: int, place: str, url: Callable[[], str], seconds: float, *, is_beside: bool) -> Iterator[Figure]:
    store = make_store(url())
    store.open()
    watch = Stopwatch()
    try:
        store.apply([UnitOfWork(1, [PutQueue(_QUEUE, "/queue/bench")])])
        if is_beside:
            with _busy_thread():
                batches = _apply(store, messages, watch, seconds)
        else:
            batches = _apply(store, messages, watch, seconds)
        _check(f"store {messages}+{messages} on {place}", store, batches, messages)
    finally:
        store.close()
    rows = 2 * messages
    yield Figure(
        f"store {messages}+{messages}{', busy' if is_beside else ''}",
        batches * rows / watch.seconds,
        "rows/s",
        "batches of so many rows in and out" + (", while a thread parses" if is_beside else ""),
        place,
        reword=lambda rate: f"{rows / rate * 1000:.2f} ms a batch",
    )


def _apply(store: IMessageStore, messages: int, watch: Stopwatch, seconds: float) -> int:
    """Apply batches that insert messages and delete those of the batch before; return how many."""
    serials = count(2)
    for batch in count(1):
        units = _units(serials, batch, messages)
        with watch:
            store.apply(units)
        if watch.seconds >= seconds:
            break
    return batch


def _units(serials: Iterator[int], batch: int, messages: int) -> Sequence[UnitOfWork]:
    """Return a unit for each message, and one for the acknowledgements, which ride together."""
    new, old = _ids(batch, messages), _ids(batch - 1, messages)
    units = [
        UnitOfWork(next(serials), [InsertMessage(_QUEUE, Message("/queue/bench", {}, _BODY, message_id=number))])
        for number in new
    ]
    urgency = HIGHEST_PRIORITY - DEFAULT_PRIORITY
    deletions = [DeleteMessage(_QUEUE, Place(urgency, MessageId(number))) for number in old]
    return [*units, UnitOfWork(next(serials), deletions)]


def _ids(batch: int, messages: int) -> range:
    return range(1 + batch * messages, 1 + (batch + 1) * messages)


def _check(name: str, store: IMessageStore, batches: int, messages: int) -> None:
    rows = store.load(_QUEUE, None, 2 * messages, 1 << 30).messages
    if [row.message.message_id for row in rows] != list(_ids(batches, messages)):
        raise WrongResult(f"{name}: after {batches} batches, the rows are not those of the last one.")


@contextmanager
def _busy_thread() -> Iterator[None]:
    """Let a thread parse frames without a pause, as a reactor does under load."""
    is_over = threading.Event()
    thread = threading.Thread(target=_parse, args=(is_over,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _parse(is_over: threading.Event) -> None:
    parser = FrameParser()
    parser.version = Version.V1_2
    while not is_over.is_set():
        parser.receive_data(_FRAMES)
        while parser.next_frame() is not None:
            pass
