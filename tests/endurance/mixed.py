"""Mixed load from clients that die at random, with an account of every message."""

from __future__ import annotations

import random
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final, final

from sqlalchemy import create_engine, text

from tests.endurance.load import PATIENCE_SECONDS, Producer, Worker, drain, key_of
from tests.harness.process import BrokerProcess
from tests.harness.waiting import wait_for

_QUEUES: Final = ("/queue/mixed-1", "/queue/mixed-2", "/queue/mixed-3")
_TOPIC: Final = "/topic/mixed"

#: Clients of each kind at a time. One producer more than consumers, so that queues grow and shrink.
_PRODUCERS, _CONSUMERS, _SUBSCRIBERS = 4, 6, 3

#: What comes back is there soon, so that the queues can be emptied at the end.
SETTINGS: Final = """
[limits]
max_deliveries = 1_000_000
redelivery_delay_ms = 1
redelivery_delay_limit_ms = 1
"""

#: How often a client dies, and how often the memory is looked at.
_ROUND_SECONDS: Final = 0.5


@final
@dataclass(frozen=True)
class Account:
    """What became of all messages, and of the broker's memory."""

    #: Messages that were confirmed, and that came to somebody, each counted once.
    confirmed: int
    arrived: int
    #: Deliveries of messages that had come to somebody who died.
    repeated: int
    deaths: int
    #: The broker's memory after a fifth of the time and at the end.
    early_bytes: int
    late_bytes: int
    #: What does not balance, each as a sentence.
    faults: list[str]

    @property
    def growth(self) -> float:
        """By which part the memory grew."""
        return self.late_bytes / self.early_bytes - 1


@final
class Settler(Worker):
    """Takes messages and acknowledges them, with a receipt for each handful."""

    def __init__(self, port: int, destination: str) -> None:
        super().__init__(port)
        self.seen: list[bytes] = []
        #: Those whose acknowledgement has a receipt.
        self.settled: list[bytes] = []
        self._awaiting: deque[list[bytes]] = deque()
        self.client.subscribe(destination, "client-individual", 100)

    def work(self) -> None:
        """Take and acknowledge until the end."""
        while True:
            frames = self.client.receive()
            messages = [frame for frame in frames if frame.command == b"MESSAGE"]
            for _ in range(len(frames) - len(messages)):
                self.settled += self._awaiting.popleft()
            if messages:
                bodies = [_short(frame.body) for frame in messages]
                self.seen += bodies
                self._awaiting.append(bodies)
                acks = [f"ACK\nid:{frame.header('ack')}\n" for frame in messages]
                self.client.send(("\n\0".join(acks) + "receipt:r\n\n\0").encode())


@final
class Listener(Worker):
    """Reads a topic and forgets it."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.client.subscribe(_TOPIC)

    def work(self) -> None:
        """Read until the end."""
        while True:
            self.client.receive()


@final
class _Crowd:
    """The clients of the moment, and those that died, with what they know."""

    def __init__(self, broker: BrokerProcess, seed: int) -> None:
        self.chance = random.Random(seed)
        self.producers: list[Producer] = []
        self.settlers: list[Settler] = []
        self.deaths = 0
        self._broker = broker
        self._living: list[tuple[Worker, Callable[[], Worker]]] = []
        for births, count in (
            (self._bear_producer, _PRODUCERS),
            (self._bear_settler, _CONSUMERS),
            (self._bear_listener, _SUBSCRIBERS),
        ):
            for _ in range(count):
                self._living.append((births(), births))

    def let_one_die(self) -> None:
        """Reset somebody's connection in the midst of what they do, and let somebody else take their place."""
        place = self.chance.randrange(len(self._living))
        worker, birth = self._living[place]
        worker.check()
        worker.die()
        self.deaths += 1
        self._living[place] = (birth(), birth)

    def end(self) -> None:
        """Let everybody come to an orderly end: producers with all receipts."""
        for producer in [worker for worker, _ in self._living if isinstance(worker, Producer)]:
            producer.stop_sending()
        for worker, _ in self._living:
            worker.finish()

    def _bear_producer(self) -> Worker:
        destination = self.chance.choice((*_QUEUES, _TOPIC))
        name = f"{destination.rpartition('/')[2]}-{len(self.producers)}"
        body_bytes = self.chance.choice((100, 256, 1000, 5000))
        producer = Producer(self._broker.port, name, destination, body_bytes=body_bytes, ahead=50)
        if destination != _TOPIC:
            self.producers.append(producer)
        return _started(producer)

    def _bear_settler(self) -> Worker:
        self.settlers.append(Settler(self._broker.port, _QUEUES[len(self.settlers) % len(_QUEUES)]))
        return _started(self.settlers[-1])

    def _bear_listener(self) -> Worker:
        return _started(Listener(self._broker.port))


def live_and_die(
    broker: BrokerProcess, seconds: float, seed: int, tell: Callable[[str], None] = lambda line: None
) -> Account:
    """Let clients work and die for a while, empty the queues, and balance the account.

    Args:
        broker: Running, on an empty store.
        seconds: How long.
        seed: Decides who dies when.
        tell: Told now and then how it goes.
    """
    crowd = _Crowd(broker, seed)
    sizes: list[int] = []
    started = told = time.monotonic()
    while (now := time.monotonic()) < started + seconds:
        time.sleep(_ROUND_SECONDS)  # this is the load
        crowd.let_one_die()
        sizes.append(broker.resident_bytes())
        if now > told + 15:
            told = now
            confirmed = sum(producer.confirmed for producer in crowd.producers)
            tell(f"{now - started:.0f} s, {confirmed} confirmed, {crowd.deaths} deaths, {sizes[-1] / 1e6:.0f} MB")
    crowd.end()
    left: list[bytes] = []

    def is_all_out() -> bool:
        """Take what is there; what came back a moment ago is there in another moment."""
        left.extend(_short(body) for queue in _QUEUES for body in drain(broker.port, queue))
        return _stored(broker.store) == 0

    wait_for(is_all_out, "the queues are empty", PATIENCE_SECONDS)
    left_again = [body for queue in _QUEUES for body in drain(broker.port, queue)]
    window = max(1, len(sizes) // 20)
    fifth = len(sizes) // 5
    early, late = median(sizes[fifth : fifth + window]), median(sizes[-window:])
    return _balance(crowd, left, left_again, int(early), int(late))


def _balance(crowd: _Crowd, left: list[bytes], left_again: list[bytes], early: int, late: int) -> Account:
    seen = [body for settler in crowd.settlers for body in settler.seen]
    settled = {body for settler in crowd.settlers for body in settler.settled}
    arrived = {*seen, *left}
    numbers: dict[str, set[int]] = defaultdict(set)
    for body in arrived:
        key = key_of(body + b"|")
        numbers[key.producer].add(key.number)
    wrong = [f"{len(left_again)} messages were left when the queues were empty"] if left_again else []
    if returned := settled.intersection(left):
        wrong.append(f"{len(returned)} messages came back, although their acknowledgement had a receipt")
    for producer in crowd.producers:
        own = numbers.pop(producer.name, set())
        # What arrived is an unbroken row from the first one on: as many as the highest number says.
        if own != set(range(len(own))) or not producer.confirmed <= len(own) <= producer.attempted:
            wrong.append(f"{producer.name}: {len(own)} arrived, {producer.confirmed} were confirmed")
    wrong += [f"{name} sent nothing, but {len(own)} messages arrived" for name, own in numbers.items()]
    return Account(
        confirmed=sum(producer.confirmed for producer in crowd.producers),
        arrived=len(arrived),
        repeated=len(seen) + len(left) - len(arrived),
        deaths=crowd.deaths,
        early_bytes=early,
        late_bytes=late,
        faults=wrong,
    )


def _stored(store: str) -> int:
    """Return how many messages the database has."""
    engine = create_engine(store.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found: int = connection.execute(text("SELECT count(*) FROM stompd_messages")).scalar_one()
    engine.dispose()
    return found


def _started(worker: Worker) -> Worker:
    worker.start()
    return worker


def _short(body: bytes) -> bytes:
    """Return what tells a message from all others."""
    return body[: body.rindex(b"|")]
