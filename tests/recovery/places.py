"""Load on what is more than a queue: durable subscriptions, dead letters, what is due later, what is sent twice.

A message has a copy at each place that it is sent to, and histories know copies: `p-3@crew` is the one that the
subscription `crew` gets of `p-3`. So a promise about copies is one about messages, which `violations` judges.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, final

from tests.harness.frames import RawFrame
from tests.harness.raw import RawClient, unique_name
from tests.recovery.history import Certainty, Drained, History, Message, Transaction
from tests.recovery.load import Crowd, Worker, key_of

#: Until when a delayed message waits, in milliseconds: some beyond the restart.
_DELAYS_MS = (1, 20, 100, 400, 1500)

#: So many of those that were confirmed are sent once more.
_REPEATED = 20


@final
@dataclass(frozen=True, eq=False)
class Place:
    """Where messages wait: a queue, or a durable subscription of a topic."""

    name: str
    #: What SUBSCRIBE names.
    destination: str
    #: What else SUBSCRIBE says, so that it is a durable subscription.
    naming: dict[str, str] = field(default_factory=dict)
    #: What CONNECT says for that.
    login: dict[str, str] = field(default_factory=dict)


class Weights(NamedTuple):
    """How often a consumer does what with its messages."""

    acknowledge: int = 50
    reject: int = 15
    bury: int = 20
    work: int = 15


_ALL_WAYS = Weights()


@final
class Places(Crowd):
    """Publishers of a topic, of delayed messages and of ones with a `dedup-id`, and who consumes them."""

    def __init__(self, port: int, seed: int) -> None:
        """Prepare the clients.

        Args:
            port: The broker's.
            seed: Decides what each client does, and names the destinations.
        """
        super().__init__()
        self._port = port
        self._last_due = 0.0
        self.topic = f"/topic/feed-{seed}"
        reader = {"client_id": f"reader-{seed}"}
        self.idle = self._durable("idle", {"durable-subscription-name": "idle"}, reader)
        self.active = self._durable("active", {"durable-subscription-name": "active"}, reader)
        self.crew = self._durable("crew", {"durable-subscription-name": f"crew-{seed}", "shared": "true"}, {})
        self.orders = Place("orders", f"/queue/orders-{seed}")
        self.later = Place("later", f"/queue/later-{seed}")
        self.once = Place("once", f"/queue/once-{seed}")
        self.subscriptions = (self.idle, self.active, self.crew)
        self.graves = {
            self.orders: Place("dead-orders", f"/queue/DLQ.orders-{seed}"),
            self.active: Place("dead-active", f"/queue/DLQ.dsub/reader-{seed}.active"),
            self.later: Place("dead-later", f"/queue/DLQ.later-{seed}"),
        }
        self.sender = Sender(self, "once", port, seed)
        self.workers = [
            *(Publisher(self, f"publisher-{number}", port, seed) for number in range(2)),
            Delayer(self, "delayer", port, seed),
            self.sender,
            Taker(self, self.active, "active", port, seed),
            *(Taker(self, self.crew, f"crew-{number}", port, seed, Weights(bury=0)) for number in range(2)),
            Taker(self, self.orders, "orders", port, seed),
            Taker(self, self.later, "later", port, seed),
            Taker(self, self.once, "once-taker", port, seed, Weights(bury=0, work=0)),
        ]

    def start(self) -> None:
        """Begin the durable subscriptions, then let all clients connect and work."""
        for place in self.subscriptions:
            with RawClient(self._port) as client:
                client.connect(**place.login)
                client.request("SUBSCRIBE", {"destination": place.destination, "id": "1", **place.naming})
                client.disconnect()
        super().start()

    def join(self) -> None:
        """Wait for the end of all clients, which the end of the broker brings."""
        super().join()
        # What arrived last is due last.
        self._last_due = time.time() + max(_DELAYS_MS) / 1000

    def drain(self) -> dict[str, list[Drained]]:
        """Empty all places of a broker that was started again, when all that is delayed is due."""
        drained = {place.name: self._drain_subscription(place) for place in self.subscriptions}
        with RawClient(self._port) as client:
            client.connect()
            drained[self.later.name] = drain_late(client, self.later, self._last_due)
            for place in (self.orders, self.once, *self.graves.values()):
                drained[place.name] = [_drained(place, frame) for frame in client.take_all(place.destination)]
        return drained

    def move(self, port: int) -> None:
        """Say where the broker listens now."""
        self._port = port

    def _durable(self, name: str, naming: dict[str, str], login: dict[str, str]) -> Place:
        return Place(name, self.topic, naming, login)

    def _drain_subscription(self, place: Place) -> list[Drained]:
        with RawClient(self._port) as client:
            client.connect(**place.login)
            headers = {"destination": place.destination, "id": "1", "prefetch-count": "0", **place.naming}
            pending = int(client.request("SUBSCRIBE", {**headers, "ack": "client-individual"})["pending"])
            frames = [client.expect("MESSAGE") for _ in range(pending)]
            client.expect_nothing()
            client.request("UNSUBSCRIBE", {"id": "1", **place.naming})
        return [_drained(place, frame) for frame in frames]


class _Sending(Worker):
    """A client that sends messages to places."""

    def __init__(self, load: Places, name: str, port: int, seed: int) -> None:
        super().__init__(load, name, port, seed)
        self.places = load

    def send_copies(
        self,
        destination: str,
        places: Sequence[Place],
        transaction: Transaction | None = None,
        *,
        due: float = 0.0,
        is_unique: bool = False,
        **headers: str,
    ) -> list[Message]:
        """Send a message that each of the places gets, by itself or in a transaction, and return its copies.

        Args:
            destination: Of the SEND.
            places: Where it arrives.
            transaction: What it is a part of.
            due: Nobody may see it before, in epoch seconds; its place among the others is then its own.
            is_unique: Whether a `dedup-id` says so.
            headers: More of the SEND.
        """
        self._produced += 1
        key = f"{self.name}-{self._produced}"
        producer = key if due else self.name
        copies = [Message(f"{key}@{place.name}", place.name, producer, self._produced, due=due) for place in places]
        for copy in copies:
            self.history.send(copy, transaction)
        body = f"{key}|".encode() + b"x" * self.chance.choice([0, 10, 100, 1000])
        headers = {"destination": destination, **headers}
        if is_unique:
            headers["dedup-id"] = key
        if transaction is not None:
            self.client.send_frame("SEND", {**headers, "transaction": transaction.name}, body)
        else:
            self.request("SEND", headers, lambda: _confirm(copies), body)
        return copies

    def publish(self, transaction: Transaction | None = None) -> None:
        """Send a message to the topic, which each durable subscription gets."""
        self.send_copies(self.places.topic, self.places.subscriptions, transaction)


@final
class Publisher(_Sending):
    """Sends to the topic and to a queue, each by itself or both in a transaction."""

    def work(self) -> None:
        """Send a burst of messages or a transaction, and read some of the RECEIPTs."""
        orders = self.places.orders
        if self.chance.random() < 0.5:
            for _ in range(self.chance.randint(1, 6)):
                self.publish()
                self.send_copies(orders.destination, [orders])
        else:
            transaction = self.begin()
            for _ in range(self.chance.randint(1, 3)):
                self.publish(transaction)
                self.send_copies(orders.destination, [orders], transaction)
            self.end(transaction)
        self.read_until(self.chance.randint(0, 20))


@final
class Delayer(_Sending):
    """Sends messages that are due later."""

    def work(self) -> None:
        """Send a few, some of them in a transaction, and read some of the RECEIPTs."""
        transaction = self.begin() if self.chance.random() < 0.3 else None
        for _ in range(self.chance.randint(1, 4)):
            self._send_later(transaction)
        if transaction is not None:
            self.end(transaction)
        self.read_until(self.chance.randint(0, 10))

    def _send_later(self, transaction: Transaction | None) -> None:
        later, delay_ms = self.places.later, self.chance.choice(_DELAYS_MS)
        # The broker counts from the arrival, in whole milliseconds.
        due = time.time() + (delay_ms - 1) / 1000
        self.send_copies(later.destination, [later], transaction, due=due, delay=str(delay_ms))


@final
class Sender(_Sending):
    """Sends each message with a `dedup-id`, and after a crash once more what was not confirmed."""

    def __init__(self, load: Places, name: str, port: int, seed: int) -> None:
        super().__init__(load, name, port, seed)
        self._sent: list[Message] = []

    def work(self) -> None:
        """Send a burst of messages or a transaction, and read some of the RECEIPTs."""
        transaction = self.begin() if self.chance.random() < 0.3 else None
        for _ in range(self.chance.randint(1, 5)):
            self._sent += self._send_once(transaction)
        if transaction is not None and not self.end(transaction):
            del self._sent[-len(transaction.sends) :]
        self.read_until(self.chance.randint(0, 20))

    def repeat(self, client: RawClient) -> None:
        """Send again, on a new connection, what was not confirmed, and some of what was."""
        confirmed = [message for message in self._sent if message.sent is Certainty.YES]
        in_doubt = [message for message in self._sent if message.sent is not Certainty.YES]
        for message in [*confirmed[-_REPEATED:], *in_doubt]:
            key = message.key.partition("@")[0]
            headers = {"destination": self.places.once.destination, "dedup-id": key}
            receipt = client.request("SEND", headers, f"{key}|".encode())
            note_repetition(self.history, message, is_duplicate=receipt.get("duplicate") == "true")

    def _send_once(self, transaction: Transaction | None) -> list[Message]:
        once = self.places.once
        return self.send_copies(once.destination, [once], transaction, is_unique=True)


@final
class Taker(_Sending):
    """Consumes at one place: acknowledges, rejects, buries, and works in transactions that send to the topic."""

    def __init__(
        self, load: Places, place: Place, name: str, port: int, seed: int, weights: Weights = _ALL_WAYS
    ) -> None:
        super().__init__(load, name, port, seed)
        self.login = place.login
        self._place = place
        self._grave = load.graves.get(place)
        self._weights = weights
        self._is_subscribed = False
        #: What was delivered and not settled, with the name of the delivery.
        self._held: list[tuple[Message, str]] = []

    def work(self) -> None:
        """Wait for some messages, do something with one, and read some of the RECEIPTs."""
        if not self._is_subscribed:
            self._is_subscribed = True
            headers = {"destination": self._place.destination, "id": "1", "ack": "client-individual"}
            self.request("SUBSCRIBE", {**headers, "prefetch-count": "20", **self._place.naming}, lambda: None)
        enough = self.chance.randint(1, 5)
        while len(self._held) < enough:
            self.take(self.client.read_frame())
        message, name = self._held.pop(self.chance.randrange(len(self._held)))
        ways: list[Callable[[Message, str], None]] = [self._acknowledge, self._reject, self._bury, self._work]
        self.chance.choices(ways, self._weights)[0](message, name)
        self.read_until(self.chance.randint(0, 15))

    def take_message(self, frame: RawFrame) -> None:
        """Hold a message until its acknowledgement."""
        key = f"{key_of(frame)}@{self._place.name}"
        is_redelivered = frame["redelivered"] == "true"
        message = self.history.deliver(key, frame["message-id"], is_redelivered=is_redelivered, came=time.time())
        self._held.append((message, frame["ack"]))

    def _acknowledge(self, message: Message, name: str) -> None:
        self.history.settle([message])
        self.request("ACK", {"id": name}, lambda: setattr(message, "own_settled", Certainty.YES))

    def _reject(self, message: Message, name: str) -> None:
        self.client.send_frame("NACK", {"id": name})

    def _bury(self, message: Message, name: str) -> None:
        """Make a dead letter, which leaves one queue and enters another in one step, like a transaction."""
        burial = self.history.begin(f"burial of {message.key}")
        self._note_burial(message, burial)
        self.history.commit(burial)
        confirm = lambda: setattr(burial, "outcome", Certainty.YES)  # noqa: E731
        self.request("NACK", {"id": name, "requeue": "false"}, confirm)

    def _work(self, message: Message, name: str) -> None:
        """Settle a message and publish others, in one transaction."""
        transaction = self.begin()
        if self._weights.bury and self.chance.random() < 0.5:
            self._note_burial(message, transaction)
            self.client.send_frame("NACK", {"id": name, "requeue": "false", "transaction": transaction.name})
        else:
            self.history.settle([message], transaction)
            self.client.send_frame("ACK", {"id": name, "transaction": transaction.name})
        for _ in range(self.chance.randint(1, 2)):
            self.publish(transaction)
        if not self.end(transaction):
            self._held.append((message, name))

    def _note_burial(self, message: Message, transaction: Transaction) -> None:
        assert self._grave is not None
        self.history.settle([message], transaction)
        # Whoever buries decides in which order, so each is the only one of its producer.
        key = f"{message.key.partition('@')[0]}@{self._grave.name}"
        self.history.send(Message(key, self._grave.name, key, 0), transaction)


def note_repetition(history: History, message: Message, *, is_duplicate: bool) -> None:
    """Note that a message with a `dedup-id` was sent once more, and confirmed, as a duplicate or not."""
    is_known = message.sent is Certainty.YES or message.delivered_as is not None
    if is_known and not is_duplicate:
        history.faults.append(f"{message.key} was taken a second time")
    message.sent_in, message.own_sent = None, Certainty.YES


def drain_late(client: RawClient, place: Place, last_due: float) -> list[Drained]:
    """Empty a queue as its messages become due, and return them in the order of delivery."""
    client.subscribe(place.destination, id="late", prefetch_count="0")
    drained = []
    while (frame := client.poll_frame(last_due - time.time())) is not None:
        drained.append(_drained(place, frame, time.time()))
    end = unique_name("end")
    client.send_frame("SEND", {"destination": place.destination, "priority": "0"}, end.encode())
    while (frame := client.expect("MESSAGE")).body != end.encode():
        drained.append(_drained(place, frame, time.time()))
    client.request("UNSUBSCRIBE", {"id": "late"})
    return drained


def _drained(place: Place, frame: RawFrame, came: float = float("inf")) -> Drained:
    key = f"{key_of(frame)}@{place.name}"
    return Drained(key, frame["message-id"], frame["redelivered"] == "true", came)


def _confirm(copies: Sequence[Message]) -> None:
    for copy in copies:
        copy.own_sent = Certainty.YES
