"""The SQL stores, which group operations by kind, agree with the store in memory, which takes them in order."""

from __future__ import annotations

from random import Random

import pytest

from stompd.broker.message import Message, MessageId, Place, QueueId
from stompd.broker.units import (
    DeleteMessage,
    DeleteQueue,
    InsertMessage,
    MarkDelivered,
    Operation,
    PutQueue,
    PutSubscription,
    ReturnMessage,
    UnitOfWork,
)
from stompd.interfaces import IMessageStore
from tests.contract.site import MemorySite, Site, SqlSite


class Work:
    """Makes batches at random; as with a broker, an id is never used again after its deletion, but a name may be."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._last_id = 0
        self._names: dict[QueueId, str] = {}
        self._places: dict[QueueId, list[Place]] = {}
        self._bare: set[QueueId] = set()  # queues that may still become those of durable subscriptions
        self.every_queue: list[QueueId] = []

    def batch(self) -> list[UnitOfWork]:
        """Return a few units of a few operations."""
        sizes = [self._random.randint(0, 6) for _ in range(self._random.randint(0, 6))]
        return [UnitOfWork(1, [self._operation() for _ in range(size)]) for size in sizes]

    def forget(self, kept: set[QueueId]) -> None:
        """Go on with the queues that outlived a restart."""
        self._names = {queue_id: name for queue_id, name in self._names.items() if queue_id in kept}

    def chance(self, share: float) -> bool:
        """Whether something that happens so often happens now."""
        return self._random.random() < share

    def _new_id(self) -> int:
        self._last_id += self._random.randint(1, 3)
        return self._last_id

    def _operation(self) -> Operation:
        if not self._names or self.chance(0.05):
            return self._put_queue()
        queue_id = self._random.choice(list(self._names))
        if queue_id in self._bare and self.chance(0.2):
            return self._put_subscription(queue_id)
        places = self._places[queue_id]
        if self.chance(0.03):
            del self._names[queue_id]
            return DeleteQueue(queue_id)
        if self.chance(0.5) or not places:
            return self._insert(queue_id)
        place = self._random.choice(places)
        if self.chance(0.2):
            return MarkDelivered(queue_id, place.message_id)
        if self.chance(0.4):
            return ReturnMessage(queue_id, place, self._random.randint(1, 5))
        places.remove(place)
        return DeleteMessage(queue_id, place)

    def _put_queue(self) -> PutQueue:
        queue_id = QueueId(self._new_id())
        name = next(name for name in map(str, range(1000)) if name not in self._names.values())
        self._names[queue_id], self._places[queue_id] = name, []
        self.every_queue.append(queue_id)
        put = PutQueue(queue_id, name, is_durable=self.chance(0.9))
        if put.is_durable:
            self._bare.add(queue_id)
        return put

    def _put_subscription(self, queue_id: QueueId) -> PutSubscription:
        self._bare.discard(queue_id)
        client_id = self._random.choice(("", "c"))
        is_shared = self.chance(0.5)
        return PutSubscription(queue_id, client_id, self._names[queue_id], f"/topic/{queue_id}", is_shared=is_shared)

    def _insert(self, queue_id: QueueId) -> InsertMessage:
        message_id = MessageId(self._new_id())
        priority = 4 if self.chance(0.5) else self._random.randint(0, 9)
        body = self._random.randbytes(self._random.randint(0, 9))
        message = Message(
            "d", {}, body, priority=priority, is_persistent=self.chance(0.9), message_id=message_id, timestamp_ms=1
        )
        self._places[queue_id].append(message.place)
        return InsertMessage(queue_id, message)


def contents(store: IMessageStore, queue_id: QueueId) -> list[tuple[int, int, int, bytes]]:
    """Return everything in a queue, read in small pages."""
    found: list[tuple[int, int, int, bytes]] = []
    after: Place | None = None
    while True:
        page = store.load(queue_id, after, 7, 25)
        for stored in page.messages:
            message = stored.message
            found.append((message.message_id, message.priority, stored.delivery_count, message.body))
            after = message.place
        if page.is_last:
            return found


def restart(
    site: Site, store: IMessageStore, crash: bool
) -> tuple[IMessageStore, list[tuple[int, str, int]], list[tuple[object, ...]]]:
    """End a store and open the next one; return it, and the queues and durable subscriptions it found."""
    if crash:
        site.crash(store)
    else:
        store.close()
    successor = site.store()
    recovered = successor.open()
    queues = [(queue.queue_id, queue.name, queue.message_count) for queue in recovered.queues]
    subscriptions: list[tuple[object, ...]] = [
        (each.queue_id, each.client_id, each.name, each.topic, each.is_shared) for each in recovered.subscriptions
    ]
    return successor, queues, sorted(subscriptions)


@pytest.mark.parametrize("seed", range(3))
def test_sql_agrees_with_memory(database_url: str, seed: int) -> None:
    work = Work(seed)
    sites = MemorySite(), SqlSite(database_url)
    memory, sql = (site.store() for site in sites)
    memory.open()
    sql.open()

    for _ in range(60):
        batch = work.batch()
        for store in (memory, sql):
            store.apply(batch)
        for queue_id in work.every_queue[-12:]:
            assert contents(sql, queue_id) == contents(memory, queue_id)
        if work.chance(0.1):
            crash = work.chance(0.5)
            memory, found_in_memory, subscriptions_in_memory = restart(sites[0], memory, crash)
            sql, found_in_sql, subscriptions_in_sql = restart(sites[1], sql, crash)
            assert found_in_sql == found_in_memory
            assert subscriptions_in_sql == subscriptions_in_memory
            work.forget({QueueId(queue_id) for queue_id, _, _ in found_in_memory})

    sites[1].close()
