"""Load on a broker from several connections at once, with a note of everything in a history."""

from __future__ import annotations

import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import final

from tests.harness.frames import RawFrame
from tests.harness.raw import ConnectionEnded, RawClient
from tests.recovery.history import Certainty, Drained, History, Message, Transaction

#: A load that gets no confirmations for so long has failed; a healthy broker gives thousands per second.
_PATIENCE_SECONDS = 30.0


class Crowd:
    """Clients that work at the same time until the broker ends, and what they note."""

    def __init__(self) -> None:
        self.history = History()
        self.confirmations = 0
        #: Set before the broker is ended, which ends the connections.
        self.may_end = threading.Event()
        self.workers: list[Worker] = []
        self._changed = threading.Condition()

    def start(self) -> None:
        """Let all clients connect and work."""
        for worker in self.workers:
            worker.start()

    def note_confirmation(self) -> None:
        """Count a RECEIPT; each worker's thread calls it."""
        with self._changed:
            self.confirmations += 1
            self._changed.notify_all()

    def wait_for_confirmations(self, count: int) -> None:
        """Wait until the clients have so many RECEIPTs in all."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: self.confirmations >= count or any(worker.failure for worker in self.workers), _PATIENCE_SECONDS
            )
            assert came, f"{self.confirmations} of {count} confirmations came within {_PATIENCE_SECONDS} s"
        self._raise_failures()

    def join(self) -> None:
        """Wait for the end of all clients, which the end of the broker brings."""
        for worker in self.workers:
            worker.join(_PATIENCE_SECONDS)
            assert not worker.is_alive(), f"{worker.name} did not notice that the broker is gone"
        self._raise_failures()

    def summary(self) -> str:
        """Return how much was going on, in a line."""
        messages = self.history.messages.values()
        delivered = sum(message.delivered_as is not None for message in messages)
        in_doubt = sum(message.sent is Certainty.MAYBE or message.settled is Certainty.MAYBE for message in messages)
        torn = sum(transaction.outcome is Certainty.MAYBE for transaction in self.history.transactions)
        return (
            f"{self.confirmations} confirmations, {len(messages)} messages, {delivered} delivered, {in_doubt} in doubt,"
            f" {len(self.history.transactions)} transactions, {torn} in doubt"
        )

    def _raise_failures(self) -> None:
        failures = [worker.failure for worker in self.workers if worker.failure]
        if failures:
            raise failures[0]


@final
class Load(Crowd):
    """Producers and consumers on two queues: `in` is filled and worked off, `out` takes the results."""

    def __init__(self, port: int, seed: int) -> None:
        """Prepare the clients.

        Args:
            port: The broker's.
            seed: Decides what each client does, and names the queues.
        """
        super().__init__()
        self.queues = (f"/queue/in-{seed}", f"/queue/out-{seed}")
        producers = [Producer(self, f"producer-{number}", port, seed) for number in range(3)]
        consumers = [Consumer(self, mode, port, seed) for mode in ("client", "client-individual")]
        self.workers = [*producers, *consumers]


class Worker(threading.Thread, ABC):
    """A client with a thread of its own."""

    def __init__(self, load: Crowd, name: str, port: int, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.failure: BaseException | None = None
        #: Headers of CONNECT.
        self.login: dict[str, str] = {}
        self.history = load.history
        self.chance = random.Random(f"{name} {seed}")
        self._load = load
        self._port = port
        self._awaited: dict[str, Callable[[], None]] = {}
        self._receipts = 0
        self._produced = 0

    def run(self) -> None:
        """Work until the connection ends; keep what went wrong otherwise."""
        try:
            with RawClient(self._port) as self.client:
                self.client.connect(**self.login)
                self._work_until_the_end()
        except BaseException as error:
            self.failure = error

    @abstractmethod
    def work(self) -> None:
        """Do the next thing."""

    def take_message(self, frame: RawFrame) -> None:
        """Take a MESSAGE."""
        raise AssertionError(f"{self.name} subscribed to nothing, and got {frame}")

    def request(self, command: str, headers: dict[str, str], on_receipt: Callable[[], None], body: bytes = b"") -> None:
        """Send a frame with a receipt; its RECEIPT is awaited later."""
        self._receipts += 1
        receipt = f"{self.name}-{self._receipts}"
        self._awaited[receipt] = on_receipt
        self.client.send_frame(command, {**headers, "receipt": receipt}, body)

    def send_message(self, queue: str, transaction: Transaction | None = None) -> None:
        """Send a message, by itself or in a transaction."""
        self._produced += 1
        message = Message(f"{self.name}-{self._produced}", queue, self.name, self._produced)
        self.history.send(message, transaction)
        size = self.chance.choice([0, 10, 100, 100, 1000, 20_000])
        body = f"{message.key}|".encode() + b"x" * size
        headers = {"destination": queue, "size": str(len(body))}
        if transaction is not None:
            self.client.send_frame("SEND", {**headers, "transaction": transaction.name}, body)
        else:
            self.request("SEND", headers, lambda: setattr(message, "own_sent", Certainty.YES), body)

    def begin(self) -> Transaction:
        """Begin a transaction."""
        transaction = self.history.begin(f"{self.name}-tx-{self._receipts}-{self._produced}")
        self.client.send_frame("BEGIN", {"transaction": transaction.name})
        return transaction

    def end(self, transaction: Transaction) -> bool:
        """Commit a transaction, or now and then abort it; return whether it was committed."""
        if self.chance.random() < 0.2:
            self.history.abort(transaction)
            self.request("ABORT", {"transaction": transaction.name}, lambda: None)
            return False
        self.history.commit(transaction)
        confirm = lambda: setattr(transaction, "outcome", Certainty.YES)  # noqa: E731
        self.request("COMMIT", {"transaction": transaction.name}, confirm)
        return True

    def read_until(self, outstanding: int) -> None:
        """Read until at most so many RECEIPTs are awaited."""
        while len(self._awaited) > outstanding:
            self.take(self.client.read_frame())

    def take(self, frame: RawFrame) -> None:
        """Take a frame of the broker."""
        if frame.command == "RECEIPT":
            self._awaited.pop(frame["receipt-id"])()
            self._load.note_confirmation()
        elif frame.command == "MESSAGE":
            self.take_message(frame)
        else:
            is_expected = frame.get("error-code") == "shutting-down" and self._load.may_end.is_set()
            assert is_expected, f"{self.name} got {frame}"

    def _work_until_the_end(self) -> None:
        try:
            while True:
                self.work()
        except (ConnectionEnded, OSError):
            assert self._load.may_end.is_set(), f"the broker ended the connection of {self.name}"
        self._take_what_is_left()

    def _take_what_is_left(self) -> None:
        # RECEIPTs that were on their way when the broker ended count: their frames were processed.
        try:
            while True:
                self.take(self.client.read_frame())
        except (ConnectionEnded, OSError):
            return


@final
class Producer(Worker):
    """Fills the first queue, with single messages and with transactions."""

    def __init__(self, load: Load, name: str, port: int, seed: int) -> None:
        super().__init__(load, name, port, seed)
        self._queue = load.queues[0]

    def work(self) -> None:
        """Send a burst of messages or a transaction, and read some of the RECEIPTs."""
        if self.chance.random() < 0.6:
            for _ in range(self.chance.randint(1, 10)):
                self.send_message(self._queue)
        else:
            transaction = self.begin()
            for _ in range(self.chance.randint(1, 5)):
                self.send_message(self._queue, transaction)
            self.end(transaction)
        self.read_until(self.chance.randint(0, 30))


@final
class Consumer(Worker):
    """Works the first queue off: acknowledges, rejects, and receives, works and sends in transactions."""

    def __init__(self, load: Load, mode: str, port: int, seed: int) -> None:
        super().__init__(load, f"consumer-{mode}", port, seed)
        self._in, self._out = load.queues
        self._mode = mode
        self._is_subscribed = False
        #: What was delivered and not settled, with the name of the delivery, in the order of delivery.
        self._held: list[tuple[Message, str]] = []

    def work(self) -> None:
        """Wait for some messages, do something with them, and read some of the RECEIPTs."""
        if not self._is_subscribed:
            self._is_subscribed = True
            headers = {"destination": self._in, "id": "1", "ack": self._mode, "prefetch-count": "50"}
            self.request("SUBSCRIBE", headers, lambda: None)
        enough = self.chance.randint(1, 8)
        while len(self._held) < enough:
            self.take(self.client.read_frame())
        self.chance.choices([self._acknowledge, self._reject, self._work_in_a_transaction], [50, 15, 35])[0]()
        self.read_until(self.chance.randint(0, 20))

    def take_message(self, frame: RawFrame) -> None:
        """Hold a message until its acknowledgement."""
        assert len(frame.body) == int(frame["size"]), f"the body of {frame} is spoiled"
        is_redelivered = frame["redelivered"] == "true"
        message = self.history.deliver(key_of(frame), frame["message-id"], is_redelivered=is_redelivered)
        self._held.append((message, frame["ack"]))

    def _acknowledge(self) -> None:
        messages, name = self._choose()
        self.history.settle(messages)
        self._drop(messages)
        self.request("ACK", {"id": name}, lambda: _confirm_settled(messages))

    def _reject(self) -> None:
        messages, name = self._choose()
        self._drop(messages)
        self.client.send_frame("NACK", {"id": name})

    def _work_in_a_transaction(self) -> None:
        transaction = self.begin()
        messages, name = self._choose()
        self.history.settle(messages, transaction)
        self.client.send_frame("ACK", {"id": name, "transaction": transaction.name})
        for _ in range(self.chance.randint(1, 3)):
            self.send_message(self._out, transaction)
        if self.end(transaction):
            self._drop(messages)

    def _choose(self) -> tuple[list[Message], str]:
        """Choose a delivery; the messages are those that an ACK of it settles."""
        index = self.chance.randrange(len(self._held))
        first = 0 if self._mode == "client" else index
        return [message for message, _ in self._held[first : index + 1]], self._held[index][1]

    def _drop(self, messages: list[Message]) -> None:
        self._held = [held for held in self._held if held[0] not in messages]


def _confirm_settled(messages: list[Message]) -> None:
    for message in messages:
        message.own_settled = Certainty.YES


def drain(client: RawClient, queues: tuple[str, ...]) -> dict[str, list[Drained]]:
    """Empty the queues of a load, and return what was in them."""
    drained = {}
    for queue in queues:
        frames = client.take_all(queue)
        assert all(len(frame.body) == int(frame["size"]) for frame in frames), "a body is spoiled"
        drained[queue] = [
            Drained(key_of(frame), frame["message-id"], frame["redelivered"] == "true") for frame in frames
        ]
    return drained


def key_of(frame: RawFrame) -> str:
    """Return by which key a history knows the message."""
    return frame.body.partition(b"|")[0].decode()
