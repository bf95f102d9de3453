"""Durable subscriptions: what describes them, beside the queues that hold their messages."""

from __future__ import annotations

import pytest

from stompd.broker.message import QueueId
from stompd.broker.units import DeleteQueue, Operation, PutQueue, PutSubscription
from stompd.errors import StoreRefused
from stompd.interfaces import IMessageStore
from tests.contract.site import Site
from tests.contract.vocabulary import ORDERS, PAYMENTS, apply, ids, insert


def put(
    queue_id: QueueId = ORDERS,
    client_id: str = "c",
    name: str = "n",
    topic: str = "/topic/t",
    *,
    selector: str = "",
    no_local: bool = False,
    is_shared: bool = False,
    host: str = "",
    owner: str = "",
) -> tuple[Operation, Operation]:
    """Return what makes a durable subscription."""
    subscription = PutSubscription(
        queue_id,
        client_id,
        name,
        topic,
        selector=selector,
        no_local=no_local,
        is_shared=is_shared,
        host=host,
        owner=owner,
    )
    return PutQueue(queue_id, f"/dsub/{queue_id}"), subscription


def found(site: Site, store: IMessageStore) -> list[tuple[object, ...]]:
    """Return the durable subscriptions that the next broker finds."""
    store.close()
    return [
        (each.queue_id, each.client_id, each.name, each.topic, each.selector, each.no_local, each.is_shared)
        for each in site.store().open().subscriptions
    ]


def test_new_store_has_none(site: Site, store: IMessageStore) -> None:
    assert found(site, store) == []


def test_subscriptions_are_found_again_with_everything_about_them(site: Site, store: IMessageStore) -> None:
    apply(store, *put(PAYMENTS, "", "größe 🐇", "/topic/a'b", selector="a = 'x'", is_shared=True))
    apply(store, *put(ORDERS, "c", "n", no_local=True))

    assert found(site, store) == [
        (ORDERS, "c", "n", "/topic/t", "", True, False),
        (PAYMENTS, "", "größe 🐇", "/topic/a'b", "a = 'x'", False, True),
    ]


def test_subscriptions_survive_a_crash_with_their_messages(site: Site, store: IMessageStore) -> None:
    apply(store, *put(), insert(1))
    site.crash(store)
    successor = site.store()

    recovered = successor.open()

    assert [(queue.name, queue.message_count) for queue in recovered.queues] == [(f"/dsub/{ORDERS}", 1)]
    assert [each.name for each in recovered.subscriptions] == ["n"]
    assert ids(successor) == [1]


def test_putting_a_subscription_again_changes_nothing(site: Site, store: IMessageStore) -> None:
    apply(store, *put())

    apply(store, *put(topic="/topic/other"))

    assert [row[3] for row in found(site, store)] == ["/topic/t"]


def test_subscription_under_the_name_of_another_is_refused(site: Site, store: IMessageStore) -> None:
    apply(store, *put())

    with pytest.raises(StoreRefused):
        apply(store, *put(PAYMENTS))

    assert [row[0] for row in found(site, store)] == [ORDERS]


def test_clients_may_use_the_same_name(site: Site, store: IMessageStore) -> None:
    apply(store, *put(), *put(PAYMENTS, "d"))

    assert [row[:3] for row in found(site, store)] == [(ORDERS, "c", "n"), (PAYMENTS, "d", "n")]


def test_deleting_the_queue_deletes_the_subscription(site: Site, store: IMessageStore) -> None:
    apply(store, *put(), insert(1))

    apply(store, DeleteQueue(ORDERS))

    assert ids(store) == []
    assert found(site, store) == []


@pytest.mark.parametrize("in_one_batch", [False, True])
def test_name_is_free_again_when_its_subscription_is_deleted(
    site: Site, store: IMessageStore, in_one_batch: bool
) -> None:
    first, second = put(), [DeleteQueue(ORDERS), *put(PAYMENTS, topic="/topic/other")]
    if in_one_batch:
        apply(store, *first, insert(1), *second)
    else:
        apply(store, *first, insert(1))
        apply(store, *second)

    assert [(row[0], row[3]) for row in found(site, store)] == [(PAYMENTS, "/topic/other")]


def test_subscription_deleted_in_the_batch_that_makes_it_is_gone(site: Site, store: IMessageStore) -> None:
    apply(store, *put(), DeleteQueue(ORDERS))

    assert found(site, store) == []


@pytest.mark.parametrize("field", ["client_id", "name", "topic", "selector"])
def test_nul_is_refused_by_all(store: IMessageStore, field: str) -> None:
    texts = {"client_id": "c", "name": "n", "topic": "/topic/t", "selector": ""} | {field: "a\0b"}
    subscription = PutSubscription(
        ORDERS, texts["client_id"], texts["name"], texts["topic"], selector=texts["selector"]
    )

    with pytest.raises(StoreRefused, match="NUL"):
        apply(store, PutQueue(ORDERS, "q"), subscription)


def test_owner_and_host_of_a_subscription_are_kept(site: Site, store: IMessageStore) -> None:
    apply(store, *put(owner="zoë", host="shop.example"))
    store.close()

    (kept,) = site.store().open().subscriptions

    assert (kept.owner, kept.host) == ("zoë", "shop.example")


def test_name_is_unique_on_its_host(site: Site, store: IMessageStore) -> None:
    apply(store, *put(ORDERS))
    apply(store, *put(PAYMENTS, host="shop.example"))

    with pytest.raises(StoreRefused):
        apply(store, *put(QueueId(99), host="shop.example"))

    assert [row[0] for row in found(site, store)] == [ORDERS, PAYMENTS]
