"""Clients that ask for anything at random, now and then for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from stompd.broker.destination import parse_destination, parse_source
from stompd.broker.message import Message, Retain, Wishes
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
    Reject,
    Rejection,
    Request,
    Send,
    Subscribe,
    Terms,
    Unsubscribe,
)
from stompd.selector.evaluate import compile_selector
from tests.simulation.model import Model
from tests.simulation.records import (
    SELECTORS,
    ClientSession,
    ClientSubscription,
    Copy,
    HeldSend,
    HeldSettlement,
    Home,
    Record,
    State,
)

_QUEUES = ("/queue/a", "/queue/b")
_TOPICS = ("/topic/t", "/topic/u")
#: Other ways to subscribe to them.
_ALL_QUEUES = ("/queue/a,/queue/b", "/queue/*", "/queue/b,/queue/#")
_ALL_TOPICS = ("/topic/*",)
_TEMPORARY = "/temp-queue/t"  # each session has its own
_DURABLE = ("d", "e")  # names of durable subscriptions, which all sessions share
_PRIORITIES = (4, 4, 4, 4, 9, 0)
_MAX_SUBSCRIPTIONS = 3
_MAX_TRANSACTIONS = 2

Submit = Callable[[ClientSession, Request], None]


class Clients:
    """Makes requests, tells the model what they mean, and submits them."""

    def __init__(self, random: Random, model: Model, submit: Submit) -> None:
        self._random = random
        self._model = model
        self._submit = submit
        self._names = 0
        self._receipts = 0
        self._persistence = random.choice((0.2, 0.7, 1.0))
        self._delay_rate = random.choice((0.0, 0.05, 0.4))
        self._receipt_rate = random.choice((0.1, 0.5, 0.9))
        self._selectivity = random.choice((0.0, 0.0, 0.3, 0.8))
        self._grouping = random.choice((0.0, 0.0, 0.4, 1.0))
        self._repetition = random.choice((0.0, 0.0, 0.6))
        self._retention = random.choice((0.0, 0.0, 0.2))
        self._ranking = random.choice((0.0, 0.0, 0.4))

    def act(self, session: ClientSession, now: float) -> None:
        """Send one frame."""
        action = self._random.choices(
            (self._send, self._subscribe, self._settle, self._transact, self._unsubscribe, self._disconnect, self._err),
            (32, 10, 40, 12, 4, 1.5, 0.5),
        )[0]
        action(session, now)

    def _record(self, session: ClientSession) -> Record:
        receipt = None
        if self._random.random() < self._receipt_rate:
            self._receipts += 1
            receipt = f"r{self._receipts}"
        return self._model.record(session, receipt)

    def _transaction(self, session: ClientSession) -> str | None:
        if session.transactions and self._random.random() < 0.6:
            return self._random.choice(list(session.transactions))
        return None

    def _send(self, session: ClientSession, now: float) -> None:
        self._names += 1
        name = f"m{self._names}"
        path = self._random.choice(_QUEUES + _TOPICS) if self._random.random() < 0.95 else _TEMPORARY
        message = Message(
            path,
            {"kind": self._random.choice("abc"), **self._group()},
            name.encode() + b"." * self._random.choice((0, 0, 5, 40)),
            priority=self._random.choice(_PRIORITIES),
            is_persistent=self._random.random() < self._persistence,
            expires_ms=int(now * 1000) + self._random.randrange(1000) if self._random.random() < 0.04 else 0,
            due_ms=int(now * 1000) + self._random.randrange(1, 3000) if self._random.random() < self._delay_rate else 0,
        )
        if path in _QUEUES and self._random.random() < self._repetition:
            message.wishes = Wishes()
            message.wishes.dedup_id = f"d{(self._names - self._random.randrange(8)) // 8}"
        if path in _TOPICS and self._random.random() < self._retention and not message.due_ms + message.expires_ms:
            message.wishes = Wishes()
            message.wishes.retain = self._random.choice((Retain.SET, Retain.SET, Retain.REMOVE))
        transaction = self._transaction(session)
        record = self._record(session)
        if transaction is None:
            self._model.route(record, message, name)
        else:
            session.transactions[transaction].append(HeldSend(message, name))
        self._submit(session, Send(parse_destination(path), message, transaction, record.receipt))

    def _group(self) -> dict[str, str]:
        """Return the headers of a message's group, if it has one."""
        if self._random.random() >= self._grouping:
            return {}
        group = {"JMSXGroupID": self._random.choice("ghi")}
        return {**group, "JMSXGroupSeq": "-1"} if self._random.random() < 0.1 else group

    def _terms(self, path: str, ack_mode: AckMode) -> Terms:
        if path in _QUEUES and ack_mode is AckMode.AUTO and self._random.random() < 0.3:
            return Terms(is_browser=True, follows=self._random.random() < 0.3)
        if self._random.random() >= self._ranking:
            return ORDINARY
        return Terms(is_exclusive=self._random.random() < 0.3, priority=self._random.choice((-1, 0, 5)))

    def _subscribe(self, session: ClientSession, now: float) -> None:
        if len(session.subscriptions) >= _MAX_SUBSCRIPTIONS:
            return
        name = next(name for name in "xyzw" if name not in session.subscriptions)
        path = self._random.choice(
            _QUEUES + _TOPICS if self._random.random() < 0.7 else (*_ALL_QUEUES, *_ALL_TOPICS, _TEMPORARY)
        )
        ack_mode = self._random.choice((AckMode.AUTO, AckMode.CLIENT, AckMode.INDIVIDUAL, AckMode.INDIVIDUAL))
        durable = self._random.choice((None, *_DURABLE)) if path.startswith("/topic/") else None
        home = self._model.durable.get(durable or "")
        selector = self._random.choice(list(SELECTORS)) if self._random.random() < self._selectivity else ""
        if home is not None and (home.topic, home.selector) != (path, selector) and self._model.consumers(home):
            durable = None  # it would be refused
        elif home is not None and home.creation is not None and home.creation.is_refused:
            durable = None  # so would this, and a later frame of the session too
        prefetch = self._random.choice((None, 0, 1, 3))
        terms = self._terms(path, ack_mode)
        self.subscribe(session, path, name, ack_mode, prefetch, selector=selector, durable=durable, terms=terms)

    def subscribe(
        self,
        session: ClientSession,
        path: str,
        name: str,
        ack_mode: AckMode,
        prefetch: int | None,
        *,
        selector: str = "",
        durable: str | None = None,
        terms: Terms = ORDINARY,
    ) -> ClientSubscription:
        """Send a SUBSCRIBE."""
        limits, record = self._model.limits, self._record(session)
        is_topic = path.startswith("/topic/") and durable is None
        session.subscription_count += 1
        number = session.subscription_count
        if durable is not None:
            homes = [self._model.subscribe_durably(record, durable, path, selector)]
        elif is_topic:
            homes = [Home(f"{path}/{session.session_id}/{number}", is_durable=False)]
            self._model.give_retained(record, homes[0], path, selector)
        elif path == _TEMPORARY:
            homes = [session.own_home()]
        else:
            homes = [self._model.home(name) for name in (_QUEUES if path in _ALL_QUEUES else (path,))]
        default = limits.topic_prefetch if is_topic else limits.shared_prefetch if durable else limits.queue_prefetch
        credit = default if prefetch is None else min(prefetch or limits.highest_prefetch, limits.highest_prefetch)
        topic = path if is_topic else None
        chosen = "" if durable else selector  # the queue of a durable subscription gets nothing else
        subscription = ClientSubscription(
            session, name, number, ack_mode, homes[0], topic, credit, record, chosen, tuple(homes[1:])
        )
        subscription.terms = terms
        for home in homes:
            home.is_selected_from |= bool(chosen) and not terms.is_browser
        self._model.subscribe(subscription)
        request = Subscribe(
            parse_source(path),
            name,
            ack_mode,
            prefetch=prefetch,
            receipt=record.receipt,
            selector=compile_selector(selector) if selector else None,
            naming=Naming(durable, is_shared=True) if durable else None,
            terms=terms,
        )
        self._submit(session, request)
        return subscription

    def _unsubscribe(self, session: ClientSession, now: float) -> None:
        subscription = self._random.choice([None, *session.subscriptions.values()])
        name = self._deletable(subscription) if self._random.random() < 0.5 else None
        if subscription is None and name is None:
            return
        record = self._record(session)
        if subscription is not None:
            self._model.unsubscribe(subscription)
        if name is not None:
            self._model.delete(record, name)
        naming = Naming(name) if name else None
        self._submit(
            session, Unsubscribe(subscription.name if subscription else "fresh", record.receipt, naming=naming)
        )

    def _deletable(self, subscription: ClientSubscription | None) -> str | None:
        """Return a durable subscription that can be deleted: that of a consumer, or one without any."""
        for name, home in self._model.durable.items():
            is_own = subscription is not None and subscription.home is home
            if is_own == (subscription is not None) and self._model.consumers(home) == is_own:
                return None if self._model.is_held(home) else name
        return None

    def _settle(self, session: ClientSession, now: float) -> None:
        """ACK or NACK one of the last deliveries, mostly one that is still outstanding."""
        if not session.history:
            return
        index = self._random.randrange(max(0, len(session.history) - 8), len(session.history))
        subscription, number, copy = session.history[index]
        self.settle(session, subscription, number, copy, self._transaction(session), self._rejection())

    def _rejection(self) -> Rejection | None:
        """Return None for an ACK."""
        if self._random.random() > 0.2:
            return None
        return Rejection(delay_ms=self._random.choice((None, None, None, 0, 700)))

    def settle(
        self,
        session: ClientSession,
        subscription: ClientSubscription,
        number: int,
        copy: Copy,
        transaction: str | None,
        rejection: Rejection | None,
    ) -> None:
        """Send an ACK or NACK that names a delivery."""
        name: DeliveryName = DeliveryToken(subscription.number, number)
        if not session.names_by_token:
            name = DeliveredMessage(str(copy.message.message_id), subscription.name)
            # The client's id may be in use again, and the message may have been given to it again, from any queue.
            subscription = session.subscriptions.get(subscription.name, subscription)
            numbers = [number for number, other in subscription.outstanding.items() if other.message is copy.message]
            number = numbers[0] if numbers else 0
        record = self._record(session)
        meant = _meant(subscription, number)
        if not meant and transaction is None and copy.state is State.GONE and copy in session.settled:
            record.settled_before.append(copy)
        if transaction is not None:
            session.transactions[transaction].append(HeldSettlement(subscription, meant, rejection))
            for each in meant:
                each.move(State.HELD)
        else:
            self._model.settle(record, meant, rejection)
        if rejection is None:
            self._submit(session, Acknowledge(name, transaction, record.receipt))
        else:
            self._submit(session, Reject(name, transaction, record.receipt, rejection))

    def _transact(self, session: ClientSession, now: float) -> None:
        if len(session.transactions) < _MAX_TRANSACTIONS and self._random.random() < 0.5:
            transaction = next(name for name in ("t1", "t2") if name not in session.transactions)
            record = self._record(session)
            session.transactions[transaction] = []
            self._submit(session, Begin(transaction, record.receipt))
        elif session.transactions:
            transaction = self._random.choice(list(session.transactions))
            end = self._commit if self._random.random() < 0.7 else self._abort
            end(session, transaction)

    def _commit(self, session: ClientSession, transaction: str) -> None:
        record = self._record(session)
        record.is_commit = True
        for held in session.transactions.pop(transaction):
            if isinstance(held, HeldSend):
                self._model.route(record, held.message, held.name)
            else:
                self._model.settle(record, held.copies, held.rejection)
        self._submit(session, Commit(transaction, record.receipt))

    def _abort(self, session: ClientSession, transaction: str) -> None:
        record = self._record(session)
        for held in session.transactions.pop(transaction):
            if isinstance(held, HeldSettlement):
                self._model.release(held)
        self._submit(session, Abort(transaction, record.receipt))

    def _disconnect(self, session: ClientSession, now: float) -> None:
        self.disconnect(session)

    def disconnect(self, session: ClientSession) -> None:
        """Send a DISCONNECT."""
        record = self._record(session)
        record.is_disconnect = True
        self._model.end(session)
        self._submit(session, Disconnect(record.receipt))

    def _err(self, session: ClientSession, now: float) -> None:
        """Send what must be refused."""
        record = self._record(session)
        request = self._random.choice(
            (
                Acknowledge(DeliveryToken(99, 1), None, record.receipt),
                Acknowledge(DeliveredMessage("never", None), "no such transaction", record.receipt),
                Commit("no such transaction", record.receipt),
                Unsubscribe("no such subscription", record.receipt),
            )
        )
        if isinstance(request, Acknowledge) and any(
            subscription.ack_mode is AckMode.AUTO for subscription in session.subscriptions.values()
        ):
            request = Commit("no such transaction", record.receipt)
        self._model.fail(record)
        self._submit(session, request)


def _meant(subscription: ClientSubscription, number: int) -> list[Copy]:
    """The deliveries that an ACK settles, if the one it names is not settled or held yet."""
    named = subscription.outstanding.get(number)
    if named is None or named.state is not State.OUTSTANDING:
        return []
    if subscription.ack_mode is AckMode.INDIVIDUAL:
        return [named]
    return [
        copy for other, copy in subscription.outstanding.items() if other <= number and copy.state is State.OUTSTANDING
    ]
