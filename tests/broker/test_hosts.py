"""Virtual hosts in the core: what is of one host is not of another, and where it stands in the store."""

from __future__ import annotations

import pytest

from stompd.broker.broker import Broker
from stompd.broker.destination import parse_destination, read_stored_name, stored_name
from stompd.broker.effects import SessionId
from stompd.broker.limits import Limits
from stompd.broker.peer import Peer
from stompd.broker.requests import Naming
from tests.broker.core import Core

SHOP, DEFAULT = 11, 1
QUEUE = parse_destination("/queue/a")


def new_core() -> Core:
    """Return a core with a session on the host `shop` beside those on the default one."""
    core = Core()
    core.broker.open_session(SessionId(SHOP), Peer("c", host="shop"))
    return core


def test_queues_of_two_hosts_are_two() -> None:
    core = new_core()
    core.send(SHOP, "s")
    core.send(DEFAULT, "d")
    assert "queue //shop/queue/a" in core.effects()[0]
    core.run()

    core.subscribe(DEFAULT)
    core.subscribe(SHOP)

    assert core.run() == ["deliver 1 d", "deliver 11 s"]


def test_queue_is_there_on_its_host_alone() -> None:
    core = new_core()

    core.send(SHOP, "s")

    assert core.broker.has_queue(SessionId(SHOP), QUEUE)
    assert not core.broker.has_queue(SessionId(DEFAULT), QUEUE)


def test_name_that_looks_like_that_of_a_host_is_another_queue() -> None:
    core = new_core()
    core.send(SHOP, "s")
    core.send(DEFAULT, "d", "/queue///shop/queue/a")
    core.run()

    core.subscribe(SHOP)

    assert core.run() == ["deliver 11 s"]


def test_topics_and_named_subscriptions_of_two_hosts_are_two() -> None:
    core = new_core()
    core.broker.open_session(SessionId(12), Peer("c"))
    for session in (SHOP, 12):
        core.subscribe(session, "/topic/t", naming=Naming("n"))
    core.run()

    core.send(SHOP, "s", "/topic/t")

    assert core.run() == ["deliver 11 s"]


def test_dead_letters_stay_on_their_host() -> None:
    core = new_core()
    core.send(SHOP, "s")
    core.subscribe(SHOP, prefetch=1)
    core.run()
    for _ in range(20):
        core.lose(SHOP)
        core.run()
        core.now += 1_000
        core.broker.tick(core.now)
        core.broker.open_session(SessionId(SHOP), Peer("c", host="shop"))
        core.subscribe(SHOP, prefetch=1)
        core.run()

    graves = parse_destination("/queue/DLQ.a")
    assert core.broker.has_queue(SessionId(SHOP), graves)
    assert not core.broker.has_queue(SessionId(DEFAULT), graves)


def test_queues_of_a_host_are_found_again() -> None:
    core = new_core()
    core.send(SHOP, "s")
    core.run()

    core = core.restart()
    core.broker.open_session(SessionId(SHOP), Peer("c", host="shop"))
    core.subscribe(SHOP)
    core.subscribe(DEFAULT)

    assert [text.split()[:2] for text in core.run()] == [["deliver", "11"]]


def test_limits_of_a_host_are_its_own() -> None:
    core = Core()
    core.store.close()
    core.broker = Broker(Limits(), core.store.open(), host_limits={"shop": Limits(queues=1)})
    core.broker.open_session(SessionId(SHOP), Peer(host="shop"))
    core.broker.open_session(SessionId(DEFAULT))
    for number in range(3):
        core.send(DEFAULT, "d", f"/queue/{number}")

    core.send(SHOP, "s", "/queue/1")
    core.send(SHOP, "s", "/queue/2", receipt="r")

    assert core.run()[-1] == "refuse 11 limit-exceeded r"


@pytest.mark.parametrize(
    ("host", "path"), [("", "/queue/a"), ("shop", "/queue/a"), ("shop", "/dsub/c.n"), ("", "/dsub//")]
)
def test_stored_name_is_read_again(host: str, path: str) -> None:
    assert read_stored_name(stored_name(host, path)) == (host, path)
