"""SEND: what is checked before a message is taken, and how it gets where it goes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress
from typing import TYPE_CHECKING, final

from stompd.broker.account import Account
from stompd.broker.destination import Destination, Kind, stored_name
from stompd.broker.duplicates import Duplicates
from stompd.broker.expiry import Expiry
from stompd.broker.identity import IdSource
from stompd.broker.inspection import Inspection
from stompd.broker.ledger import Ledger, Work
from stompd.broker.limits import Limits
from stompd.broker.message import Message, Retain, Wishes
from stompd.broker.policy import Overflow, Policies
from stompd.broker.quota import expect_last_value, recover_last_value
from stompd.broker.replay import Logs
from stompd.broker.requests import Send
from stompd.broker.resting import Resting
from stompd.broker.retained import Retained
from stompd.broker.schedule import Schedule
from stompd.broker.session import Session
from stompd.broker.transaction import HeldSend, find_transaction
from stompd.broker.units import Recovered
from stompd.errors import InvalidHeader, LimitExceeded

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue


@final
class Sending:
    """Takes messages from sessions."""

    __slots__ = (
        "_catalogue",
        "_deadlines",
        "_expiry",
        "_ids",
        "_ledger",
        "_limits",
        "_policies",
        "duplicates",
        "expect_replies",
        "inspection",
        "logs",
        "resting",
        "retained",
        "schedule",
    )

    def __init__(self, limits: Limits, ledger: Ledger, catalogue: Catalogue, ids: IdSource, expiry: Expiry) -> None:
        #: Shows receivers where to reply, and subscribes there.
        self.expect_replies: Callable[[Session, Message, Destination, float], None]
        self._limits = limits
        self._ledger = ledger
        self._catalogue = catalogue
        self._ids = ids
        self._expiry = expiry
        self._deadlines = catalogue.deadlines
        self._policies: Policies = catalogue.policies
        #: What was sent before with the same id.
        self.duplicates = Duplicates(limits, ledger)
        #: What those get first who subscribe to a topic.
        self.retained = Retained(limits, ledger, ids)
        #: What topics keep.
        self.logs = Logs(limits, ledger, catalogue.policies, ids)
        #: What is sent again and again.
        self.schedule = Schedule(ledger, catalogue, ids, self)
        #: Who looks what is scheduled.
        self.inspection = Inspection(ledger, self)
        expiry.others += [self.retained, self.logs, self.schedule]
        #: Who has to rest.
        self.resting = Resting(ledger, 1000 * limits.block_seconds)

    @property
    def next_ms(self) -> int:
        """When `tick` is needed next, in epoch milliseconds; 0 for never."""
        return min(filter(None, (self.resting.next_ms, self.logs.next_ms, self.schedule.next_ms)), default=0)

    def tick(self, now_ms: int) -> None:
        """Begin what time alone brings."""
        self.resting.tick(now_ms)
        self.logs.tick(now_ms)
        self.schedule.tick(now_ms)

    def end_turn(self) -> None:
        """Let those go on for whom there is room now."""
        if self.resting.sessions:
            self.resting.relax()
        if self.logs.replays:
            self.logs.pull()

    def recover(self, recovered: Recovered) -> None:
        """Take over what the store holds about messages that were sent."""
        self.duplicates.recover(recovered)
        self.logs.recover(recovered)
        self.schedule.recover(recovered)
        self.retained.recover(recovered)
        for found in recovered.last_values:
            recover_last_value(self._catalogue, found)

    def send(self, session: Session, request: Send, now: float) -> None:
        """Put a message where it goes, or hold it with its transaction.

        Raises:
            LimitExceeded: It is too large, its queue is full, or it needs one queue more than allowed.
            UnknownTransaction: The session has not opened the transaction.
        """
        if request.inspect is not None:
            self.inspection.begin(session.catalogue, request.inspect, now)
            self._ledger.enact(session, Work(), request.receipt)
            return
        # Checked now, so that COMMIT can only fail on the store.
        if request.is_mandatory:
            session.catalogue.require(request.destination)
        accounts = self.check(session.catalogue, request.destination, request.message, now)
        if request.message.wishes is not None:
            self._check_wishes(session.catalogue, request.destination, request.message, request.message.wishes)
        transaction = None if request.transaction is None else find_transaction(session, request.transaction)
        if request.reply_to is not None:
            self.expect_replies(session, request.message, request.reply_to, now)
        if transaction is not None:
            held = HeldSend(request.destination, request.message)
            transaction.hold(held)
            held.reserve(accounts)
            if request.receipt is not None:
                self._ledger.enact(session, Work(), request.receipt)
            return
        work = Work(session)
        self.route(session.catalogue, request.destination, request.message, now, work)
        self._ledger.enact(session, work, request.receipt, behind_all=work is self.duplicates.work)

    def check(self, catalogue: Catalogue, destination: Destination, message: Message, now: float) -> list[Account]:
        """Make sure that a message can be taken later; return where a transaction has to reserve room.

        Raises:
            LimitExceeded: It is too large, its queue is full, or it needs one queue more than allowed.
        """
        catalogue.check(destination, now)
        if self._policies.is_empty:
            return []
        found = [self._check_rule(catalogue, place, message, now) for place in destination.places]
        return [account for account in found if account is not None]

    def route(self, catalogue: Catalogue, destination: Destination, message: Message, now: float, work: Work) -> None:
        """Add to the work what puts a message where it goes."""
        message.identify(self._ids.next(now), int(now * 1000))
        work.size_bytes += len(message.body)
        parts = destination.parts
        if message.wishes is not None:
            places = self._grant(catalogue, destination, message, message.wishes, now, work)
            if not places:
                return
            parts = places if parts else ()
        if parts:
            for part in parts:
                copy = message.copy_to(part.path)
                copy.identify(self._ids.next(now), message.timestamp_ms)
                work.size_bytes += len(copy.body)
                self._route_to(catalogue, part, copy, now, work)
        else:
            self._route_to(catalogue, destination, message, now, work)

    def _route_to(
        self, catalogue: Catalogue, destination: Destination, message: Message, now: float, work: Work
    ) -> None:
        """Add to the work what puts a message that is known by its id to one place."""
        if not self._policies.is_empty:
            self._obey(catalogue, destination, message, now, work)
        is_kept = message.wishes is not None and message.wishes.retain is not None
        if message.wishes is not None and message.wishes.retain is not None:
            self._retain(catalogue.host, destination, message, message.wishes.retain, now, work)
        if self.logs.is_kept and destination.kind is Kind.TOPIC and not message.due_ms:
            is_kept |= self.logs.accept(catalogue.host, destination, message, now, work)
        if message.due_ms:
            message.due_ms = self._deadlines.date(message.due_ms, now)
        if message.expires_ms:
            self._expiry.expect(message.expires_ms)
        is_kept |= catalogue.accept(destination, message, now, work)
        if is_kept and message.wishes is not None and message.wishes.dedup_id:
            name = stored_name(catalogue.host, destination.path)
            self.duplicates.remember(name, message.wishes.dedup_id, message, work)

    def _grant(
        self, catalogue: Catalogue, destination: Destination, message: Message, wishes: Wishes, now: float, work: Work
    ) -> tuple[Destination, ...]:
        """Do what the sender wants of the arrival; return the places to which the message goes on."""
        host, places = catalogue.host, destination.places
        if wishes.dedup_id:
            names = [stored_name(host, place.path) for place in places]
            chosen = self.duplicates.choose(names, wishes.dedup_id, now, work)
            places = tuple(compress(places, chosen))
        if places and wishes.is_repeated:
            self.schedule.add(stored_name(host, ",".join(place.path for place in places)), message, now, work)
            for place in places if wishes.dedup_id else ():
                self.duplicates.remember(stored_name(host, place.path), wishes.dedup_id, message, work)
            return ()
        return places

    def _retain(self, host: str, topic: Destination, message: Message, retain: Retain, now: float, work: Work) -> None:
        if retain is Retain.SET and message.body:
            self.retained.keep(host, topic, message, now, work)
        else:
            # MQTT 5.0, 3.3.1.3: an empty body removes, too.
            self.retained.remove(host, topic, work)

    def _check_wishes(self, catalogue: Catalogue, destination: Destination, message: Message, wishes: Wishes) -> None:
        """Refuse what cannot be done."""
        if wishes.last_value_key:
            expect_last_value(catalogue, destination, wishes.last_value_key, self._limits)
        if wishes.retain is None:
            return
        if any(place.kind is not Kind.TOPIC for place in destination.places):
            raise InvalidHeader(
                f"retain on SEND is for topics, and destination:{destination.path} is none. A queue keeps its messages;"
                " leave the header out."
            )
        if wishes.retain is Retain.SET:
            for place in destination.places:
                self.retained.check(catalogue.host, place, message)

    def _check_rule(
        self, catalogue: Catalogue, destination: Destination, message: Message, now: float
    ) -> Account | None:
        """Refuse what a rule does not allow; return the account in which a transaction has to reserve room."""
        rule = self._policies.find(destination.path)
        if rule is None:
            return None
        if 0 < rule.message_bytes < len(message.body):
            raise LimitExceeded(
                f"The body has {len(message.body)} bytes; {destination.path} takes at most {rule.message_bytes}"
                f" (key message_bytes of [[destination]] {rule.pattern})."
            )
        if destination.kind is Kind.TOPIC:
            self.logs.check(catalogue.host, destination)
        if destination.kind is not Kind.QUEUE or rule.overflow is not Overflow.REJECT:
            return None
        account = catalogue.queue(destination, now).account
        if account is not None and not account.has_room(message):
            raise LimitExceeded(
                f"{destination.path} is full: it has {account.count} messages of {account.size_bytes} bytes (keys"
                f" max_messages and max_bytes of [[destination]] {rule.pattern}). Send again when some were consumed."
            )
        return account

    def _obey(self, catalogue: Catalogue, destination: Destination, message: Message, now: float, work: Work) -> None:
        """Let a message expire as a rule wants it, and its sender rest if he fills a queue."""
        rule = self._policies.find(destination.path)
        if rule is None:
            return
        message.expires_ms = rule.expiry_ms(message.expires_ms, message.timestamp_ms)
        session = work.session
        if session is None or destination.kind is not Kind.QUEUE or not rule.is_bounded:
            return
        queue = catalogue.queue(destination, now)
        account = queue.account
        if account is None or account.overflow is not Overflow.BLOCK:
            return
        consumes = any(subscription.queue is queue for subscription in session.subscriptions.values())
        # Who consumes from the queue must be heard, or there would never be room.
        if account.is_filled_by(message) and not consumes:
            self.resting.begin(session.session_id, account, now)
