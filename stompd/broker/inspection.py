"""Looking through what is scheduled: jobs, and delayed messages in queues; to list it or to cancel it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from stompd.broker.destination import read_stored_name
from stompd.broker.effects import LoadScheduled
from stompd.broker.ledger import Ledger, Work
from stompd.broker.message import Message, QueueId
from stompd.broker.requests import Inspect
from stompd.broker.units import DeleteMessage, DueKey, DuePage, StoredMessage

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.sending import Sending

#: Messages that are read at a time, and bytes of their bodies.
_PAGE_COUNT = 100
_PAGE_BYTES = 4 * 1024 * 1024


@final
class _Scan:
    """What one client wants, how far it is, and how much was found."""

    __slots__ = ("after", "catalogue", "count", "inspect", "queue_ids")

    def __init__(self, catalogue: Catalogue, inspect: Inspect, queue_ids: deque[QueueId]) -> None:
        self.catalogue = catalogue  # of the virtual host, to which the view is limited
        self.inspect = inspect
        self.queue_ids = queue_ids
        self.after = DueKey(0, 0)
        self.count = 0


@final
class Inspection:
    """Carries out what clients ask about the schedule, a page at a time, one client after the other."""

    __slots__ = ("_ledger", "_scans", "_sending")

    def __init__(self, ledger: Ledger, sending: Sending) -> None:
        self._ledger = ledger
        self._sending = sending
        self._scans: deque[_Scan] = deque()

    def begin(self, catalogue: Catalogue, inspect: Inspect, now: float) -> None:
        """Begin to look through everything on a virtual host, as it is after all that was decided so far."""
        queue_ids = deque(queue.queue_id for queue in catalogue.postponed())
        if self._sending.schedule.is_stored:
            queue_ids.appendleft(self._sending.schedule.queue_id)
        self._scans.append(_Scan(catalogue, inspect, queue_ids))
        if len(self._scans) == 1:
            self._go_on(now)

    def admit(self, page: DuePage, now: float) -> None:
        """Continue with a page."""
        scan = self._scans[0]
        for stored in page.messages:
            self._look_at(scan, stored, now)
            scan.after = DueKey(stored.due_ms, stored.message.message_id)
        if not page.next_ms:
            scan.queue_ids.popleft()
            scan.after = DueKey(0, 0)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        while self._scans:
            scan = self._scans[0]
            if scan.queue_ids:
                self._ledger.load(LoadScheduled(scan.queue_ids[0], scan.after, _PAGE_COUNT, _PAGE_BYTES))
                return
            self._scans.popleft()
            self._answer(scan, {"browser": "end", "count": str(scan.count)}, b"", now)

    def _look_at(self, scan: _Scan, stored: StoredMessage, now: float) -> None:
        inspect, message = scan.inspect, stored.message
        host, path = read_stored_name(message.destination)  # the host is there only in a job
        is_job = scan.queue_ids[0] == self._sending.schedule.queue_id
        if is_job and host != scan.catalogue.host:
            return
        if (stored.delivery_count and not is_job) or not inspect.means(message.message_id, stored.due_ms):
            return  # the former came back from a consumer, and waits
        if inspect.removes:
            scan.count += self._remove(scan, stored, is_job=is_job)
            return
        scan.count += 1
        said = {"scheduledJobId": str(message.message_id), "scheduled-at": str(stored.due_ms)}
        origin = {"scheduled-destination": path}
        self._answer(scan, {**message.headers, **said, **origin}, message.body, now)

    def _remove(self, scan: _Scan, stored: StoredMessage, *, is_job: bool) -> bool:
        """Remove what was found, unless it has become due meanwhile; return whether it was there."""
        message = stored.message
        work = Work()
        queue = scan.catalogue.by_id(scan.queue_ids[0])
        if is_job:
            self._sending.schedule.cancel(stored, work)
        elif queue is not None and queue.later.has(stored.due_ms, message.place):
            queue.forget(message.message_id, len(message.body))
            work.operations.append(DeleteMessage(queue.queue_id, message.place))
        else:
            return False
        self._ledger.enact(None, work)
        return True

    def _answer(self, scan: _Scan, headers: dict[str, str], body: bytes, now: float) -> None:
        reply_to = scan.inspect.reply_to
        if reply_to is None:
            return
        work = Work()
        answer = Message(reply_to.path, headers, body, is_persistent=False)
        self._sending.route(scan.catalogue, reply_to, answer, now, work)
        self._ledger.enact(None, work)
