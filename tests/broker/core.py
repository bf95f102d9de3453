"""A broker core whose effects come back as texts, so that a list of effects is the assertion of a test.

An effect on a client reads `confirm 1 r`, `deliver 1 a`, `deliver 1 a again 2` (it was delivered twice before),
`refuse 1 unknown-delivery r`, `decline 1 unknown-delivery r` or `close 1`, where 1 is the session; a subscription that
is not called `s` is named behind it (`deliver 1/t a`). A unit reads `persist insert a, delete b`, or `later ...` when
nobody waits for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from stompd.broker.broker import Broker
from stompd.broker.delivery import Delivery
from stompd.broker.destination import parse_destination, parse_source, parse_target
from stompd.broker.effects import (
    CloseSession,
    Confirm,
    Decline,
    Effect,
    Load,
    LoadDue,
    LoadEntries,
    LoadExpired,
    LoadScheduled,
    LoadShown,
    LoadSize,
    Refuse,
    Resume,
    SessionId,
)
from stompd.broker.limits import Limits
from stompd.broker.message import DEFAULT_PRIORITY, Message, Wishes
from stompd.broker.peer import Peer
from stompd.broker.policy import Rule
from stompd.broker.requests import (
    ORDINARY,
    Abort,
    AckMode,
    Acknowledge,
    Begin,
    Commit,
    DeliveredMessage,
    DeliveryName,
    DeliveryToken,
    Disconnect,
    Naming,
    Origin,
    Reject,
    Rejection,
    Request,
    Send,
    Subscribe,
    Terms,
    Unsubscribe,
)
from stompd.broker.units import (
    DeleteMessage,
    DeleteQueue,
    ForgetSend,
    InsertMessage,
    MarkDelivered,
    Operation,
    PutQueue,
    PutSubscription,
    RememberSend,
    ReturnMessage,
    UnitOfWork,
)
from stompd.errors import StompError
from stompd.selector.evaluate import compile_selector
from stompd.store.memory import MemoryStore

NOW = 1_700_000_000.0

#: What only the store sees.
_STORE_VERBS = ("persist", "later", "load", "due", "expired", "size", "scheduled", "show")


def new_message(
    body: str,
    to: str = "/queue/a",
    *,
    priority: int = DEFAULT_PRIORITY,
    expires_ms: int = 0,
    is_persistent: bool = True,
    due_ms: int = 0,
) -> Message:
    """Return a message that the broker has not accepted yet."""
    return Message(
        to,
        {},
        body.encode(),
        priority=priority,
        expires_ms=expires_ms,
        is_persistent=is_persistent,
        due_ms=due_ms,
    )


class Core:
    """A broker, a memory store that answers when told to, and three sessions: 1, 2 and 3."""

    def __init__(self, store: MemoryStore | None = None, rules: Sequence[Rule] = (), **limits: int) -> None:
        self.store = store or MemoryStore()
        self.broker = Broker(Limits(**limits), self.store.open(), rules)
        self.now = NOW
        self.journal: deque[UnitOfWork | Load] = deque()
        self.marks = 0
        self.loads = 0
        self.errors: list[StompError] = []
        self._bodies: dict[int, str] = {}
        self._deliveries: dict[tuple[int, str], Delivery] = {}
        for session in (1, 2, 3):
            self.broker.open_session(SessionId(session), token=bytes([session]))

    def open(self, session: int, client_id: str = "", user_name: str = "", host: str = "") -> None:
        """Open one more session, or one that was lost again."""
        self.broker.open_session(SessionId(session), Peer(client_id, user_name, host), token=bytes([session]))

    def refuse(self, session: int, error: StompError, receipt: str | None = None) -> None:
        self.broker.refuse(SessionId(session), error, receipt)

    def submit(self, session: int, request: Request) -> None:
        self.broker.submit(SessionId(session), request, self.now)

    def send(
        self,
        session: int,
        body: str,
        to: str = "/queue/a",
        *,
        receipt: str | None = None,
        transaction: str | None = None,
        priority: int = DEFAULT_PRIORITY,
        expires_ms: int = 0,
        is_persistent: bool = True,
        headers: dict[str, str] | None = None,
        delay: float = 0.0,
        wishes: dict[str, object] | None = None,
        reply_to: str | None = None,
        is_mandatory: bool = False,
    ) -> None:
        due_ms = round((self.now + delay) * 1000) if delay else 0
        message = new_message(
            body, to, priority=priority, expires_ms=expires_ms, is_persistent=is_persistent, due_ms=due_ms
        )
        message.headers = headers or {}
        if wishes:
            message.wishes = Wishes()
            for name, value in wishes.items():
                setattr(message.wishes, name, value)
        awaited = None if reply_to is None else parse_destination(reply_to)
        target = parse_target(to)
        request = Send(target, message, transaction, receipt, reply_to=awaited, is_mandatory=is_mandatory)
        self.submit(session, request)

    def send_all(self, session: int, bodies: str, to: str = "/queue/a", *, is_persistent: bool = True) -> None:
        """Send one message for each word."""
        for body in bodies.split():
            self.send(session, body, to, is_persistent=is_persistent)

    def subscribe(
        self,
        session: int,
        to: str = "/queue/a",
        name: str = "s",
        *,
        ack: AckMode = AckMode.INDIVIDUAL,
        prefetch: int | None = None,
        receipt: str | None = None,
        selector: str = "",
        naming: Naming | None = None,
        no_local: bool = False,
        origin: Origin | None = None,
        terms: Terms = ORDINARY,
    ) -> None:
        self.submit(
            session,
            Subscribe(
                parse_source(to),
                name,
                ack,
                prefetch=prefetch,
                receipt=receipt,
                selector=compile_selector(selector) if selector else None,
                naming=naming,
                no_local=no_local,
                origin=origin,
                terms=terms,
            ),
        )

    def unsubscribe(
        self,
        session: int,
        name: str = "s",
        receipt: str | None = None,
        *,
        naming: Naming | None = None,
        to: str | None = None,
        delete: str | None = None,
    ) -> None:
        destination = None if to is None else parse_source(to)
        deleted = None if delete is None else parse_destination(delete)
        self.submit(session, Unsubscribe(name, receipt, naming=naming, destination=destination, deleted=deleted))

    def message(self, session: int, body: str) -> Message:
        """The message of the newest delivery of that body."""
        return self._deliveries[session, body].entry.message

    def token(self, session: int, body: str) -> DeliveryToken:
        """The `ack` header of the newest delivery of that body."""
        delivery = self._deliveries[session, body]
        return DeliveryToken(delivery.subscription.number, delivery.number)

    def message_name(self, session: int, body: str, name: str | None = "s") -> DeliveredMessage:
        """The `message-id` and `subscription` headers of the newest delivery of that body."""
        return DeliveredMessage(str(self._deliveries[session, body].entry.message.message_id), name)

    def acknowledge(
        self, session: int, named: str | DeliveryName, transaction: str | None = None, receipt: str | None = None
    ) -> None:
        name = self.token(session, named) if isinstance(named, str) else named
        self.submit(session, Acknowledge(name, transaction, receipt))

    def reject(
        self,
        session: int,
        named: str | DeliveryName,
        transaction: str | None = None,
        receipt: str | None = None,
        *,
        requeue: bool = True,
        delay_ms: int | None = None,
        is_undelivered: bool = False,
    ) -> None:
        name = self.token(session, named) if isinstance(named, str) else named
        rejection = Rejection(requeue, delay_ms, is_undelivered)
        self.submit(session, Reject(name, transaction, receipt, rejection))

    def begin(self, session: int, transaction: str = "t", receipt: str | None = None) -> None:
        self.submit(session, Begin(transaction, receipt))

    def commit(self, session: int, transaction: str = "t", receipt: str | None = None) -> None:
        self.submit(session, Commit(transaction, receipt))

    def abort(self, session: int, transaction: str = "t", receipt: str | None = None) -> None:
        self.submit(session, Abort(transaction, receipt))

    def disconnect(self, session: int, receipt: str | None = None) -> None:
        self.submit(session, Disconnect(receipt))

    def advance(self, seconds: float) -> list[str]:
        """Let time pass, with the ticks that the broker asks for on the way; return what the clients see."""
        end, shown = self.now + seconds, self.run()
        while (deadline := self.broker.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.broker.tick(self.now)
            shown += self.run()
        self.now = end
        return shown + self.run()

    def lose(self, session: int) -> None:
        self.broker.close_session(SessionId(session))

    def set_writable(self, session: int, is_writable: bool) -> None:
        self.broker.set_writable(SessionId(session), is_writable=is_writable)

    def settle_written(self, session: int) -> bool:
        return self.broker.settle_written(SessionId(session))

    def depth(self, to: str = "/queue/a") -> int:
        return self.broker.depth(parse_destination(to))

    def effects(self) -> list[str]:
        """Everything decided since the last call."""
        return [self._show(effect) for effect in self.broker.take_effects(self.now)]

    def answer(self, count: int = 1) -> None:
        """Let the store carry out the next so many units and loads."""
        for _ in range(count):
            asked = self.journal.popleft()
            if isinstance(asked, UnitOfWork):
                self.store.apply([asked])
                self.broker.unit_applied(asked.serial)
            else:
                self._read(asked)

    def _read(self, load: Load) -> None:
        if isinstance(load, LoadEntries):
            self.loads += 1
            page = self.store.load(load.queue_id, load.after, load.limit, load.limit_bytes)
            self.broker.entries_loaded(load.queue_id, load.after, page)
        elif isinstance(load, LoadDue):
            due = self.store.load_due(load.queue_id, load.after, load.through_ms, load.limit, load.limit_bytes)
            self.broker.due_loaded(load.queue_id, due)
        elif isinstance(load, LoadScheduled):
            found = self.store.load_due(load.queue_id, load.after, 1 << 62, load.limit, load.limit_bytes)
            self.broker.scheduled_loaded(found)
        elif isinstance(load, LoadSize):
            self.broker.size_loaded(load.queue_id, self.store.measure(load.queue_id))
        elif isinstance(load, LoadShown):
            page = self.store.load(load.queue_id, load.after, load.limit, load.limit_bytes, load.through_ms)
            self.broker.shown_loaded(load, page)
        else:
            self.broker.expired_loaded(self.store.find_expired(load.after, load.through_ms, load.limit))

    def refuse_unit(self, reason: str = "too long") -> None:
        """Let the store refuse the next unit."""
        asked = self.journal.popleft()
        assert isinstance(asked, UnitOfWork)
        self.broker.unit_refused(asked.serial, reason)

    def run(self) -> list[str]:
        """Let the store carry out everything; return what the clients see meanwhile."""
        shown = self.effects()
        while self.journal:
            self.answer()
            shown += self.effects()
        return [text for text in shown if not text.startswith(_STORE_VERBS)]

    def rows(self) -> list[str]:
        """The bodies of all stored messages, in the order of their ids, with delivery counts above 0 behind a colon."""
        rows = [row for queue in self.store._queues.values() for row in queue.rows.values()]
        rows.sort(key=lambda row: row.message.message_id)
        return [row.message.body.decode() + (f":{row.delivery_count}" if row.delivery_count else "") for row in rows]

    def restart(self, rules: Sequence[Rule] = (), **limits: int) -> Core:
        """Crash, and begin anew with what was applied."""
        self.store.crash()
        return Core(self.store, rules, **limits)

    def _show(self, effect: Effect) -> str:
        match effect:
            case UnitOfWork():
                self.journal.append(effect)
                return f"{'persist' if effect.is_urgent else 'later'} {self._show_operations(effect.operations)}"
            case LoadEntries():
                self.journal.append(effect)
                assert effect.after is not None
                return f"load {effect.after.urgency} {self._bodies.get(effect.after.message_id, '-')}"
            case LoadDue():
                self.journal.append(effect)
                return f"due {effect.after.due_ms}"
            case LoadShown():
                self.journal.append(effect)
                return f"show {effect.after.urgency} {self._bodies.get(effect.after.message_id, '-')}"
            case LoadExpired():
                self.journal.append(effect)
                return "expired"
            case LoadSize():
                self.journal.append(effect)
                return "size"
            case LoadScheduled():
                self.journal.append(effect)
                return "scheduled"
            case Resume():
                return f"resume {effect.session_id}"
            case Delivery():
                return self._show_delivery(effect)
            case Confirm():
                headers = "".join(f" {name}:{value}" for name, value in effect.headers.items())
                return f"confirm {effect.session_id} {effect.receipt}{headers}"
            case Refuse():
                self.errors.append(effect.error)
                return f"refuse {effect.session_id} {effect.error.code} {effect.receipt or ''}".rstrip()
            case Decline():
                self.errors.append(effect.error)
                return f"decline {effect.session_id} {effect.error.code} {effect.receipt}"
            case CloseSession():
                return f"close {effect.session_id}"

    def _show_delivery(self, effect: Delivery) -> str:
        subscription, entry = effect.subscription, effect.entry
        body = entry.message.body.decode()
        self._bodies[entry.message.message_id] = body
        self._deliveries[effect.session_id, body] = effect
        where = "" if subscription.subscription_id == "s" else f"/{subscription.subscription_id}"
        again = f" again {entry.delivery_count}" if entry.delivery_count else ""
        return f"deliver {effect.session_id}{where} {body}{again}"

    def _show_operations(self, operations: Sequence[Operation]) -> str:
        return ", ".join(self._show_operation(operation) for operation in operations) or "nothing"

    def _show_operation(self, operation: Operation) -> str:
        match operation:
            case InsertMessage():
                body = operation.message.body.decode()
                self._bodies[operation.message.message_id] = body
                return f"insert {body}"
            case DeleteMessage():
                return f"delete {self._bodies.get(operation.place.message_id, '-')}"
            case ReturnMessage():
                return f"return {self._bodies.get(operation.place.message_id, '-')} {operation.delivery_count}"
            case PutQueue():
                return f"queue {operation.name if operation.is_durable else 'of a subscription'}"
            case PutSubscription():
                return f"subscription {operation.client_id}.{operation.name}"
            case DeleteQueue():
                return "drop queue"
            case RememberSend():
                return f"remember {operation.dedup_id}"
            case ForgetSend():
                return f"forget {operation.dedup_id}"
            case MarkDelivered():
                self.marks += 1
                return "mark"
