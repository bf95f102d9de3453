"""What must be true: a model of all queues that follows the clients' requests and checks every effect of the broker.

It knows what was asked, which units the store has, and which of them the broker was told about. It does not know how
the broker keeps anything; only the bound on memory looks inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from stompd.broker.broker import Broker
from stompd.broker.delivery import Delivery
from stompd.broker.effects import CloseSession, Confirm, Decline, Effect, Refuse
from stompd.broker.limits import Limits
from stompd.broker.message import Message, Retain
from stompd.broker.requests import AckMode, Rejection
from stompd.broker.units import (
    RETAINED_NAME,
    DeleteMessage,
    DeleteQueue,
    ForgetSend,
    InsertMessage,
    Operation,
    PutQueue,
    PutSubscription,
    Recovered,
    RememberSend,
    ReturnMessage,
    UnitOfWork,
)
from tests.simulation.promises import (
    check_delivery,
    check_dropped,
    check_memory,
    check_quiet,
    check_shown,
    recover,
)
from tests.simulation.records import (
    SELECTORS,
    Change,
    ClientSession,
    ClientSubscription,
    Copy,
    HeldSettlement,
    Home,
    Kept,
    Record,
    State,
    Violation,
)

_ALL_TOPICS = "/topic/*"


class Model:
    """All queues, as the clients may expect them."""

    def __init__(self, limits: Limits, queue_limits: Mapping[str, int]) -> None:
        self.limits = limits
        self._queue_limits = queue_limits
        self.sessions: dict[int, ClientSession] = {}
        self.homes: dict[str, Home] = {}
        self.durable: dict[str, Home] = {}  # the queues of durable subscriptions, by name
        self._answered = 0
        self._handed_out = 0
        self._latest = 0.0  # the clock may be set back after the broker has looked at it
        self._homes_by_id: dict[int, Home] = {}
        self._by_serial: dict[int, Record] = {}
        self._fresh: list[Record] = []  # requests of this turn: whether they need a unit will be seen
        self._sent: dict[tuple[str, str], Copy] = {}  # by destination and dedup-id
        self._retained: dict[str, list[Change]] = {}  # by topic, since the last crash
        self._dropped: list[Copy] = []  # in this turn, by queues that are full
        self._in_store: set[Copy] = set()
        self._ever_in_store: set[Copy] = set()
        self._order = 0

    # What the clients do.

    def open_session(self, session: ClientSession) -> None:
        self.sessions[session.session_id] = session

    def record(self, session: ClientSession, receipt: str | None) -> Record:
        """Note a frame."""
        session.frames += 1
        record = Record(session, session.frames, receipt)
        if receipt is not None:
            session.expected.append(record)
        self._fresh.append(record)
        return record

    def route(self, record: Record, message: Message, name: str) -> None:
        """Note that a message takes effect: at its SEND, or at the COMMIT."""
        self._order += 1
        sent_as = (message.destination, message.wishes.dedup_id if message.wishes else "")
        if sent_as in self._sent:
            record.repeated.append(self._sent[sent_as])
            return
        if message.wishes is not None and message.wishes.retain is not None:
            self._retain(record, message, name)
        for home in self._homes_of(record.session, message):
            copy = Copy(name, home, record.session.session_id, self._order, message, record=record)
            copy.is_late = message.due_ms > 0
            home.is_grouped |= bool(copy.group)
            home.live[copy] = None
            record.arriving.append(copy)
            if sent_as[1]:
                self._sent[sent_as] = copy

    def subscribe(self, subscription: ClientSubscription) -> None:
        session = subscription.session
        home = subscription.home
        if subscription.terms.is_browser:
            subscription.expected = [
                copy
                for copy in home.live
                if copy.is_durable and not copy.may_expire and subscription.wants(copy.message)
            ]
        else:
            for taken in subscription.homes:
                taken.subscribers.append(subscription)
        session.subscriptions[subscription.name] = session.by_number[subscription.number] = subscription

    def give_retained(self, record: Record, home: Home, topic: str, selector: str = "") -> None:
        """Note that a new subscription begins with what its topics retain."""
        for path, changes in self._retained.items():
            kept = changes[-1].kept
            if kept is not None and topic in (path, _ALL_TOPICS) and SELECTORS[selector](kept.message):
                copy = Copy(kept.name, home, kept.sender, kept.order, kept.message, record=record, is_retained=True)
                copy.is_late = home.is_durable  # what is sent while that is being stored may fill the memory first
                home.is_grouped |= bool(copy.group)
                home.live[copy] = None
                record.arriving.append(copy)

    def _retain(self, record: Record, message: Message, name: str) -> None:
        """Note what becomes of the message that a topic retains."""
        kept = None
        if message.wishes and message.wishes.retain is Retain.SET:
            kept = Kept(name, record.session.session_id, self._order, message)
        self._retained.setdefault(message.destination, [Change(None, None)]).append(Change(record, kept))
        record.is_retaining = True

    def know_queue(self, queue_id: int, home: Home) -> None:
        self._homes_by_id[queue_id] = home

    def subscribe_durably(self, record: Record, name: str, topic: str, selector: str) -> Home:
        """Note that a durable subscription is used, made or replaced, and return its queue."""
        home = self.durable.get(name)
        if home is None or (home.topic, home.selector) != (topic, selector):
            if home is not None:
                self._end(record, home)
            home = Home(f"/dsub/.{name}", is_durable=True, topic=topic, selector=selector, creation=record)
            self.durable[name] = home
            self.give_retained(record, home, topic, selector)
        record.durable = home
        return home

    def delete(self, record: Record, name: str) -> None:
        """Note that a durable subscription is deleted."""
        self._end(record, self.durable.pop(name))

    def consumers(self, home: Home) -> int:
        """How many subscriptions a queue has."""
        subscriptions = chain.from_iterable(session.subscriptions.values() for session in self.sessions.values())
        return sum(subscription.home is home for subscription in subscriptions)

    def is_held(self, home: Home) -> bool:
        """Whether an open transaction holds a message of a queue."""
        transactions = chain.from_iterable(session.transactions.values() for session in self.sessions.values())
        return any(
            isinstance(held, HeldSettlement) and any(copy.home is home for copy in held.copies)
            for held in chain.from_iterable(transactions)
        )

    def _end(self, record: Record, home: Home) -> None:
        record.deleting.append(home)
        home.is_alive = False
        for copy in list(home.live):
            copy.move(State.GONE)

    def unsubscribe(self, subscription: ClientSubscription) -> None:
        subscription.is_active = False
        del subscription.session.subscriptions[subscription.name]
        if subscription.topic is not None:
            subscription.home.is_alive = False
            for copy in list(subscription.home.live):
                copy.move(State.GONE)
        for copy in subscription.with_client():
            if copy.state is State.OUTSTANDING:
                del subscription.outstanding[copy.number]
                copy.come_back()

    def settle(self, record: Record, copies: Sequence[Copy], rejection: Rejection | None) -> None:
        """Note that an ACK or NACK takes effect: at once, or with its COMMIT."""
        is_awaited = record.receipt is not None
        for copy in copies:
            copy.record = record
            if copy.holder is not None:
                del copy.holder.outstanding[copy.number]
            if rejection is not None:
                copy.is_late = copy.is_late or rejection.delay_ms is not None
                self._reject(record, copy)
                continue
            record.session.settled.append(copy)
            if is_awaited or record.is_commit:
                record.settling.append(copy)
                copy.move(State.SETTLING)
            else:
                copy.move(State.GONE)

    def _reject(self, record: Record, copy: Copy) -> None:
        if record.is_commit:
            record.returning.append(copy)
            copy.move(State.RETURNING)
        else:
            record.rejected.append(copy)
            copy.come_back()

    def settle_written(self, session: ClientSession) -> None:
        """Note that the transport has taken everything."""
        for subscription in session.by_number.values():
            for copy in subscription.unsettled:
                copy.move(State.GONE)
            subscription.unsettled.clear()
            subscription.unwritten = 0

    def release(self, held: HeldSettlement) -> None:
        """Note that an acknowledgement was aborted."""
        for copy in held.copies:
            copy.move(State.OUTSTANDING)
            if not held.subscription.is_active:
                del held.subscription.outstanding[copy.number]
                copy.come_back()

    def fail(self, record: Record) -> None:
        """Note that a frame cannot be carried out."""
        session = record.session
        if session.has_soft_errors and record.receipt is not None:
            record.is_declined = True
            return
        if session.fault is None or session.fault.serial is None:  # the first refusal counts
            session.fault = record
        if not session.is_lost:
            self.end(session)

    def end(self, session: ClientSession) -> None:
        """Note that nothing more can come from a session."""
        session.is_over = True
        for held in chain.from_iterable(session.transactions.values()):
            if isinstance(held, HeldSettlement):
                self.release(held)
        for subscription in list(session.subscriptions.values()):
            self.unsubscribe(subscription)
        for subscription in session.by_number.values():
            for copy in subscription.unsettled:
                copy.come_back()
            subscription.unsettled.clear()
        session.transactions.clear()
        if session.temporary is not None:
            session.temporary.is_alive = False
            for copy in list(session.temporary.live):
                copy.move(State.GONE)

    # What the store does.

    def written(self, unit: UnitOfWork) -> None:
        """Note that the store has a unit, though the broker may never hear of it."""
        for operation in unit.operations:
            if isinstance(operation, DeleteQueue):
                self._in_store.difference_update(self._homes_by_id[operation.queue_id].by_id.values())
            elif isinstance(operation, InsertMessage | DeleteMessage):
                copy = self._find(operation)
                if copy is not None and copy.is_durable:
                    change = self._in_store.add if isinstance(operation, InsertMessage) else self._in_store.discard
                    change(copy)
                    self._ever_in_store.add(copy)

    def applied(self, unit: UnitOfWork) -> None:
        """Note that the broker is told that a unit was applied."""
        self._answered = unit.serial
        record = self._by_serial.pop(unit.serial, None)
        if record is None:
            return
        for copy in record.arriving:
            copy.visible_after = unit.serial
            copy.move(State.WAITING)
            copy.home.was_bounded = copy.home.limit > 0
        for copy in record.settling:
            copy.move(State.GONE)
        for copy in record.returning:
            copy.come_back(unit.serial)

    def refused(self, unit: UnitOfWork) -> None:
        """Note that the broker is told that a unit was refused."""
        for operation in unit.operations:
            copy = self._find(operation)
            if copy is not None:
                copy.due_ms = 0  # it is where it was before
        self._answered = unit.serial
        record = self._by_serial.pop(unit.serial)
        for copy in record.arriving:
            copy.move(State.GONE)
        for copy in chain(record.settling, record.returning):
            copy.come_back(unit.serial)
        record.session.settled = [copy for copy in record.session.settled if copy not in record.settling]
        if record.durable:
            self.durable = {name: home for name, home in self.durable.items() if home is not record.durable}
            self._end(record, record.durable)
            for subscription in list(record.session.subscriptions.values()):
                if subscription.record is record:
                    self.unsubscribe(subscription)
        self.fail(record)

    def may_refuse(self, unit: UnitOfWork) -> bool:
        """Whether a client is to blame for the unit."""
        record = self._by_serial.get(unit.serial)
        if (
            record is None
            or record.is_retaining
            or any(isinstance(operation, RememberSend) for operation in unit.operations)
        ):
            return False  # others who count on it already would be refused, too
        # Others who use a durable subscription would be refused with its creator, each in its turn.
        subscriptions = chain.from_iterable(session.subscriptions.values() for session in self.sessions.values())
        return record.durable not in {found.home for found in subscriptions if found.record is not record}

    def refusing(self, unit: UnitOfWork) -> None:
        """Note that the store refuses a unit."""
        self._by_serial[unit.serial].is_refused = True

    # What the broker answers.

    def take(self, effects: Sequence[Effect], now: float) -> None:
        """Check the effects of one turn."""
        self._latest = max(self._latest, now)
        for record in self._fresh:
            for copy in record.arriving:
                other = copy.home.by_id.setdefault(copy.message.message_id, copy)
                if other in copy.home.live and other is not copy:
                    raise Violation(f"{copy.name} has the id of {other.name}")
                copy.home.by_id[copy.message.message_id] = copy
        for effect in effects:
            if isinstance(effect, UnitOfWork):
                self._hand_out(effect, now)
        for record in self._fresh:
            self._finish_without_unit(record)
        self._fresh.clear()
        self._answer(effects, now)
        for copy in self._dropped:
            check_dropped(copy)
        self._dropped.clear()
        for home in chain(self.homes.values(), self.durable.values()):
            home.closed.clear()

    def _answer(self, effects: Sequence[Effect], now: float) -> None:
        for effect in effects:
            match effect:
                case Delivery():
                    self._delivered(effect, now)
                case Confirm():
                    self._confirmed(effect)
                case Decline():
                    self._declined(effect)
                case Refuse():
                    self._refused(effect)
                case CloseSession():
                    self._closed(effect)

    def _hand_out(self, unit: UnitOfWork, now: float) -> None:
        if unit.serial != self._handed_out + 1:
            raise Violation(f"unit {unit.serial} follows unit {self._handed_out}")
        self._handed_out = unit.serial
        records = {record for operation in unit.operations if (record := self._read(operation, unit.serial, now))}
        if not records:
            return
        if len(records) > 1:
            raise Violation("a unit holds what several frames asked for")
        record = records.pop()
        if record.serial is not None:
            raise Violation(f"frame {record.number} of session {record.session.session_id} became two units")
        if not unit.is_urgent:
            raise Violation("somebody waits for a unit that is not urgent")
        record.serial = unit.serial
        self._by_serial[unit.serial] = record
        touched = {self._find(each) for each in unit.operations}
        for copy in chain(record.arriving, record.settling, record.returning):
            if copy.is_durable and copy not in touched:
                raise Violation(f"{copy.name} is missing in the unit of its transaction")

    def _read(self, operation: Operation, serial: int, now: float) -> Record | None:
        """Return the request that an operation belongs to, unless it is the broker's own."""
        if isinstance(operation, PutSubscription):
            return self._homes_by_id[operation.queue_id].creation
        if isinstance(operation, PutQueue):
            is_known = operation.queue_id in self._homes_by_id or operation.name == RETAINED_NAME
            if operation.is_durable and not is_known:
                self._homes_by_id[operation.queue_id] = self.home(operation.name)
            return None
        copy = self._find(operation)
        if copy is None:
            return None
        if isinstance(operation, InsertMessage):
            copy.due_ms = operation.message.due_ms
            if copy.is_durable:
                return copy.record
            copy.visible_after = serial
        elif isinstance(operation, DeleteMessage):
            if copy.state is State.SETTLING or self._went_with_queue(copy, is_rejected=False):
                return copy.record
            has_expired = copy.state is State.WAITING and 0 < copy.message.expires_ms <= round(self._latest * 1000)
            if copy.state is State.WAITING and copy.home.limit and not has_expired:
                self._dropped.append(copy)
            elif copy.state is not State.GONE and not has_expired:
                raise Violation(f"{copy.name} is deleted while {copy.state.name}")
            copy.move(State.GONE)
        elif isinstance(operation, ReturnMessage):
            copy.due_ms = operation.due_ms
            if copy.record is None or not copy.is_durable:
                return None
            is_counted = copy in copy.record.rejected and copy.record.receipt is not None
            is_first = copy.record.serial is None
            is_returning = copy.state is State.RETURNING or self._went_with_queue(copy, is_rejected=True)
            return copy.record if is_returning or (is_counted and is_first) else None
        return None

    def _went_with_queue(self, copy: Copy, *, is_rejected: bool) -> bool:
        """Whether a message was settled, and its queue deleted before the unit was handed out."""
        record = copy.record
        if record is None or copy.home.is_alive:
            return False
        return copy in (record.returning if is_rejected else record.settling)

    def _finish_without_unit(self, record: Record) -> None:
        if record.serial is not None:
            return
        for copy in chain(record.arriving, record.settling, record.returning):
            if copy.is_durable:
                raise Violation(f"no unit for {copy.name}")
        for copy in record.arriving:
            copy.visible_after = max(copy.visible_after, self._handed_out)
            copy.move(State.WAITING)
        for copy in record.settling:
            copy.move(State.GONE)
        for copy in record.returning:
            copy.come_back(self._handed_out)

    def _delivered(self, delivery: Delivery, now: float) -> None:
        session = self.sessions[delivery.session_id]
        subscription = session.by_number.get(delivery.subscription.number)
        if subscription is None or not subscription.is_active or session.is_over:
            raise Violation("a delivery to a subscription that has ended")
        home = self.home(delivery.queue.name) if subscription.others else subscription.home
        copy = home.by_id.get(delivery.entry.message.message_id)
        if subscription.terms.is_browser and (copy or delivery.entry.message.headers.get("browser") == "end"):
            check_shown(subscription, copy, now, self._latest)
            return
        if copy is None:
            raise Violation(f"a delivery that nobody sent: {delivery.entry.message.body!r}")
        if copy.is_retained != ("retained" in delivery.entry.message.headers):
            raise Violation(f"{copy.name} is wrong about being retained")
        check_delivery(
            subscription,
            copy,
            delivery.entry.delivery_count,
            answered=self._answered,
            now=now,
            latest=self._latest,
            limits=self.limits,
        )
        copy.was_seen = copy.was_seen_now = True
        if subscription.ack_mode is AckMode.AUTO:
            subscription.unsettled.append(copy)
            copy.move(State.UNSETTLED)
        else:
            copy.holder, copy.number = subscription, delivery.number
            subscription.outstanding[delivery.number] = copy
            session.history.append((subscription, delivery.number, copy))
            copy.move(State.OUTSTANDING)

    def _confirmed(self, effect: Confirm) -> None:
        session = self.sessions[effect.session_id]
        if session.is_lost:
            return
        if session.is_refused or session.is_closed:
            raise Violation(f"receipt {effect.receipt} after the end of its session")
        if not session.expected or session.expected[0].receipt != effect.receipt:
            raise Violation(f"receipt {effect.receipt} out of turn")
        record = session.expected.popleft()
        record.is_answered = True
        if record.is_declined:
            raise Violation(f"receipt {effect.receipt} for a frame that failed")
        if record.serial is not None and record.serial > self._answered:
            raise Violation(f"receipt {effect.receipt} before its unit was applied")
        for copy in record.arriving:
            if copy.is_durable and copy not in self._ever_in_store:
                raise Violation(f"receipt {effect.receipt}, but {copy.name} is not stored")
            copy.is_banked = copy.is_durable
        if bool(record.repeated) != ("duplicate" in effect.headers):
            raise Violation(f"receipt {effect.receipt} is wrong about duplicates")
        for copy in record.repeated:
            if copy.is_durable and copy not in self._ever_in_store:
                raise Violation(f"receipt {effect.receipt}, but {copy.name}, which it repeats, is not stored")
        for home in record.deleting:
            home.is_deleted = True
        if record.durable:
            creation = record.durable.creation
            if creation and creation.serial is not None and creation.serial > self._answered:
                raise Violation(f"receipt {effect.receipt} before {record.durable.name} was stored")
            record.durable.is_banked = True
        promised = session.settled if record.is_disconnect else record.settling + record.settled_before
        for copy in promised:
            if copy in self._in_store:
                raise Violation(f"receipt {effect.receipt}, but {copy.name} is still stored")
            copy.is_settled = True

    def _declined(self, effect: Decline) -> None:
        session = self.sessions[effect.session_id]
        if session.is_lost:
            return
        if session.is_refused or session.is_closed:
            raise Violation(f"an ERROR for receipt {effect.receipt} after the end of its session")
        if not session.expected or session.expected[0].receipt != effect.receipt:
            raise Violation(f"an ERROR for receipt {effect.receipt} out of turn")
        if not session.expected.popleft().is_declined:
            raise Violation(f"an ERROR for receipt {effect.receipt}: {effect.error.detail}")

    def _refused(self, effect: Refuse) -> None:
        session = self.sessions[effect.session_id]
        if session.is_lost:
            return
        if session.is_refused or session.is_closed:
            raise Violation("an ERROR after the end of its session")
        fault = session.fault
        if fault is None:
            raise Violation(f"session {session.session_id} is refused: {effect.error.detail}")
        if session.expected and session.expected[0].number < fault.number:
            raise Violation(f"an ERROR before receipt {session.expected[0].receipt}")
        if effect.receipt != fault.receipt:
            raise Violation(f"an ERROR for receipt {effect.receipt} instead of {fault.receipt}")
        session.is_refused = True

    def _closed(self, effect: CloseSession) -> None:
        session = self.sessions[effect.session_id]
        if session.is_lost:
            return
        if session.expected or session.is_refused or not session.is_over:
            raise Violation(f"session {session.session_id} is closed too early")
        session.is_closed = True

    def check(self, broker: Broker, now: float, *, is_quiet: bool) -> None:
        """Check what must hold always, and what must hold when nothing is under way."""
        check_memory(broker, self._homes_by_id, self.limits)
        if is_quiet:
            homes = chain(self.homes.values(), self.durable.values())
            check_quiet(broker, self.sessions.values(), homes, self.limits, now)

    def crashed(self, rows: dict[tuple[int, int], tuple[int, int]], recovered: Recovered) -> None:
        """Begin anew with what the store has and what the broker was told.

        Args:
            rows: Delivery counts and due times, by queue and message.
            recovered: The queues and durable subscriptions.
        """
        self._recover_durable(recovered)
        self._recover_sent(recovered)
        self._recover_retained(recovered)
        self.sessions.clear()
        self._by_serial.clear()
        self._fresh.clear()
        self._answered = self._handed_out = 0
        durable = {queue_id: home for queue_id, home in self._homes_by_id.items() if home.topic is not None}
        self._homes_by_id = {
            found.queue_id: self.home(found.name)
            for found in recovered.queues
            if found.queue_id not in durable and found.name != RETAINED_NAME
        } | durable
        ids = {id(home): queue_id for queue_id, home in self._homes_by_id.items()}
        for home in chain(self.homes.values(), durable.values()):
            home.forget_subscribers()
            for message_id, copy in home.by_id.items():
                recover(copy, rows.pop((ids.get(id(home), 0), message_id), None))
            for copy in list(home.live):  # accepted in a turn that never ended
                if home.by_id.get(copy.message.message_id) is not copy:
                    copy.move(State.GONE)
        if rows:
            raise Violation("the store holds what nobody sent")
        # The id of a durable subscription that never reached the store may be used again.
        self._homes_by_id = {queue_id: home for queue_id, home in self._homes_by_id.items() if home.is_alive}

    def _recover_retained(self, recovered: Recovered) -> None:
        """See that each topic retains what it did after the last change that was confirmed, or after a later one."""
        found = {message.destination: message.message_id for message in recovered.retained}
        for topic, changes in self._retained.items():
            confirmed = [index for index, change in enumerate(changes) if change.record and change.record.is_answered]
            possible = changes[max(confirmed, default=0) :]
            left = [change for change in possible if change.stored_id == found.get(topic)]
            if not left:
                raise Violation(
                    f"{topic} retains {found.get(topic)} instead of {[each.stored_id for each in possible]}"
                )
            self._retained[topic] = [Change(None, left[-1].kept if left[-1].stored_id else None)]

    def _recover_sent(self, recovered: Recovered) -> None:
        """See that the store knows what senders call just those messages that it was given."""
        found = {(send.path, send.dedup_id) for send in recovered.sends}
        for sent_as, copy in self._sent.items():
            if copy.is_durable and (copy in self._ever_in_store) != (sent_as in found):
                raise Violation(f"{copy.name} is {'' if sent_as in found else 'not '}known as {sent_as[1]}")
        self._sent = {sent_as: self._sent[sent_as] for sent_as in found}

    def _recover_durable(self, recovered: Recovered) -> None:
        """Find out which durable subscriptions there are now."""
        names = {found.queue_id: found.name for found in recovered.subscriptions}
        self.durable.clear()
        for queue_id, home in self._homes_by_id.items():
            if home.topic is None:
                continue
            home.creation = None
            if queue_id in names:
                if home.is_deleted:
                    raise Violation(f"{home.name} came back though its deletion was confirmed")
                self.durable[names[queue_id]] = home
            elif home.is_banked and home.is_alive:
                raise Violation(f"{home.name} was lost")
            home.is_alive = queue_id in names

    def home(self, path: str) -> Home:
        """The queue of a destination."""
        home = self.homes.get(path)
        if home is None:
            home = self.homes[path] = Home(path, is_durable=True, limit=self._queue_limits.get(path, 0))
        return home

    def _homes_of(self, sender: ClientSession, message: Message) -> list[Home]:
        path = message.destination
        if path.startswith("/temp-queue/"):
            return [sender.own_home()]
        if path.startswith("/queue/"):
            return [self.home(path)]
        subscriptions = chain.from_iterable(session.subscriptions.values() for session in self.sessions.values())
        homes = [found.home for found in subscriptions if found.topic in (path, _ALL_TOPICS) and found.wants(message)]
        durable = [home for home in self.durable.values() if home.topic in (path, _ALL_TOPICS)]
        return homes + [home for home in durable if SELECTORS[home.selector](message)]

    def _find(self, operation: Operation) -> Copy | None:
        if isinstance(operation, RememberSend | ForgetSend):
            return None
        home = self._homes_by_id.get(operation.queue_id)
        if home is None:
            return None
        if isinstance(operation, InsertMessage):
            return home.by_id.get(operation.message.message_id)
        if isinstance(operation, DeleteMessage | ReturnMessage):
            return home.by_id.get(operation.place.message_id)
        return None
