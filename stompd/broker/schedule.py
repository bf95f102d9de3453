"""The schedule: messages that are sent again and again, at intervals or as a line of cron says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, final

from stompd.broker.cron import parse_cron
from stompd.broker.destination import parse_target, read_stored_name
from stompd.broker.effects import LoadDue
from stompd.broker.identity import IdSource
from stompd.broker.ledger import Ledger, Work
from stompd.broker.message import Message, Place, QueueId
from stompd.broker.units import (
    SCHEDULE_NAME,
    DeleteMessage,
    DueKey,
    DuePage,
    ExpiredRow,
    InsertMessage,
    PutQueue,
    Recovered,
    ReturnMessage,
    StoredMessage,
)
from stompd.errors import LimitExceeded

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.sending import Sending

#: What of the headers says when a message is sent again; the store keeps it with the job.
CRON, PERIOD, REPEAT = "schedule-cron", "schedule-period", "schedule-repeat"

#: Jobs that are read at a time, and bytes of their bodies.
_PAGE_COUNT = 100
_PAGE_BYTES = 16 * 1024 * 1024

#: A job that cannot be done now, because a limit is reached, is tried again after so many milliseconds.
_AGAIN_MS = 60_000


@final
class Schedule:
    """Jobs in a queue of the store, each with its message; the row's count is how often it was sent."""

    __slots__ = ("_catalogue", "_ids", "_is_loading", "_ledger", "_sending", "is_stored", "next_ms", "queue_id")

    def __init__(self, ledger: Ledger, catalogue: Catalogue, ids: IdSource, sending: Sending) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._ids = ids
        self._sending = sending
        self._is_loading = False
        #: The queue in the store; 0 before there is one.
        self.queue_id = QueueId(0)
        self.is_stored = False
        #: When the next job is due; 0 for none.
        self.next_ms = 0

    def recover(self, recovered: Recovered) -> None:
        """Take over what the store holds."""
        for queue in recovered.queues:
            if queue.name == SCHEDULE_NAME:
                self.queue_id, self.is_stored, self.next_ms = queue.queue_id, True, queue.next_due_ms

    def add(self, name: str, message: Message, now: float, work: Work) -> None:
        """Add to the work what sends a message again and again, from when it is due or the line of cron says.

        The name is the destination's path, behind the virtual host; it is read again for each occurrence.
        """
        now_ms = int(now * 1000)
        message.destination = name
        cron = message.headers.get(CRON)
        message.due_ms = parse_cron(cron).next_ms(max(now_ms, message.due_ms)) if cron else max(now_ms, message.due_ms)
        self.queue_id = self.queue_id or QueueId(self._ids.next(now))
        if not self.is_stored:
            work.operations.append(PutQueue(self.queue_id, SCHEDULE_NAME))
        work.operations.append(InsertMessage(self.queue_id, message))
        work.steps.append(partial(self._added, message.due_ms))

    def tick(self, now_ms: int) -> None:
        """Ask for what is due."""
        if 0 < self.next_ms <= now_ms and not self._is_loading:
            self.next_ms = 0
            self._is_loading = True
            self._ledger.load(LoadDue(self.queue_id, DueKey(0, 0), now_ms, _PAGE_COUNT, _PAGE_BYTES))

    def admit(self, page: DuePage, now: float) -> None:
        """Send what is due, each message in one unit with the change of its job."""
        self._is_loading = False
        for stored in page.messages:
            self._send(stored, now)
        if page.next_ms:
            self._expect(page.next_ms)

    def cancel(self, stored: StoredMessage, work: Work) -> None:
        """Add to the work what removes a job."""
        work.operations.append(DeleteMessage(self.queue_id, stored.message.place))

    def expire(self, row: ExpiredRow, work: Work) -> bool:
        """Remove a job that has expired, if it is one; return whether it is."""
        if row.key.queue_id != self.queue_id:
            return False
        work.operations.append(DeleteMessage(self.queue_id, Place(row.urgency, row.key.message_id)))
        return True

    def _send(self, stored: StoredMessage, now: float) -> None:
        job = stored.message
        work = Work()
        host, path = read_stored_name(job.destination)
        catalogue, destination = self._catalogue.on(host), parse_target(path)
        due_ms = self._next(stored, now)
        count = stored.delivery_count + 1
        try:
            self._sending.check(catalogue, destination, job, now)
            self._sending.route(catalogue, destination, _occurrence(job, path), now, work)
        except LimitExceeded:
            due_ms, count = int(now * 1000) + _AGAIN_MS, stored.delivery_count
        if due_ms:
            work.operations.append(ReturnMessage(self.queue_id, job.place, count, due_ms))
            self._expect(due_ms)
        else:
            work.operations.append(DeleteMessage(self.queue_id, job.place))
        self._ledger.enact(None, work)

    def _next(self, stored: StoredMessage, now: float) -> int:
        """Return when a message is due again; 0 if it is not. What was missed is made up for once."""
        headers, now_ms = stored.message.headers, int(now * 1000)
        if CRON in headers:
            return parse_cron(headers[CRON]).next_ms(now_ms)
        repeat, period_ms = int(headers[REPEAT]), int(headers[PERIOD])
        if 0 <= repeat <= stored.delivery_count:
            return 0
        due_ms = stored.due_ms + period_ms
        return due_ms if due_ms > now_ms else now_ms + period_ms

    def _added(self, due_ms: int) -> None:
        self.is_stored = True
        self._expect(due_ms)

    def _expect(self, due_ms: int) -> None:
        if not self.next_ms or due_ms < self.next_ms:
            self.next_ms = due_ms


def _occurrence(job: Message, path: str) -> Message:
    """Return the message that a job sends."""
    headers = {name: value for name, value in job.headers.items() if name not in (CRON, PERIOD, REPEAT)}
    # ActiveMQ calls it so, and takes it back in order to cancel the rest.
    headers["scheduledJobId"] = str(job.message_id)
    return Message(
        path,
        headers,
        job.body,
        priority=job.priority,
        expires_ms=job.expires_ms,
        is_persistent=job.is_persistent,
    )
