"""Virtual hosts in the core: what is of one host is not of another, and where it stands in the store."""

from __future__ import annotations

import pytest

from stompd.broker.broker import Broker
from stompd.broker.destination import parse_destination, parse_target, read_stored_name, stored_name
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
    core.open(SHOP, "c", host="shop")
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


@pytest.mark.parametrize("to", ["/queue/#", "/queue/*,/topic/*", "/queue/a,/topic/t"])
def test_several_destinations_are_those_of_one_host(to: str) -> None:
    core = new_core()
    core.send(DEFAULT, "before d")
    core.send(SHOP, "before s")
    core.run()

    core.subscribe(DEFAULT, to)
    core.subscribe(SHOP, to)

    assert core.run() == ["deliver 1 before d", "deliver 11 before s"]
    core.send(SHOP, "s", "/queue/a,/topic/t,/queue/other")
    assert {text for text in core.run() if not text.startswith("deliver 11 s")} == set()


def test_queue_that_comes_later_is_taken_from_on_its_host() -> None:
    core = new_core()
    core.subscribe(DEFAULT, "/queue/#")
    core.subscribe(SHOP, "/queue/#")
    core.run()

    core.send(SHOP, "s", "/queue/new")
    core.send(DEFAULT, "d", "/queue/new")

    assert core.run() == ["deliver 11 s", "deliver 1 d"]


def test_list_in_a_transaction_stays_on_its_host() -> None:
    core = new_core()
    for session in (DEFAULT, SHOP):
        core.subscribe(session, "/queue/a")
        core.subscribe(session, "/topic/t", "t")
    core.run()

    core.begin(SHOP)
    core.send(SHOP, "s", "/queue/a,/topic/t", transaction="t")
    core.commit(SHOP)

    assert sorted(core.run()) == ["deliver 11 s", "deliver 11/t s"]


@pytest.mark.parametrize("mine", ["/temp-queue/x", "/temp-topic/x"])
def test_temporary_destination_is_known_on_its_host_alone(mine: str) -> None:
    core = new_core()
    core.open(12, "d", host="shop")
    core.subscribe(SHOP, "/queue/work", "work")
    core.send(SHOP, "work", "/queue/work", reply_to=mine)
    core.run()
    name = core.message(SHOP, "work").headers["reply-to"]

    core.send(12, "reply", name)
    replied = core.run()
    core.send(DEFAULT, "from elsewhere", name, receipt="r")

    assert replied == [f"deliver 11/{mine} reply"]
    assert core.run() == ["refuse 1 invalid-destination r"]


def test_temporary_destinations_of_a_host_end_with_their_session() -> None:
    core = new_core()
    core.open(12, "d", host="shop")
    core.subscribe(SHOP, "/queue/work", "work")
    core.send(SHOP, "work", "/queue/work", reply_to="/temp-queue/x")
    core.run()
    name = core.message(SHOP, "work").headers["reply-to"]

    core.lose(SHOP)
    core.send(12, "reply", name, receipt="r")

    assert "refuse 12 invalid-destination r" in core.run()


@pytest.mark.parametrize("to", ["/queue/a", "/topic/t"])
def test_mandatory_message_asks_for_somebody_on_its_host(to: str) -> None:
    core = new_core()
    core.subscribe(DEFAULT, to)
    core.run()

    core.send(SHOP, "s", to, is_mandatory=True, receipt="r")

    assert core.run() == ["refuse 11 undeliverable r"]


@pytest.mark.parametrize("to", ["/topic/t", "/topic/t,/queue/a"])
def test_topic_lags_on_its_host_alone(to: str) -> None:
    core = Core(topic_backlog=10, topic_prefetch=1)
    core.open(SHOP, host="shop")
    core.subscribe(SHOP, "/topic/*")
    core.run()

    for number in range(8):
        core.send(SHOP, f"m{number}", "/topic/t", is_persistent=False)
        core.run()

    assert core.broker.is_lagging(SessionId(SHOP), parse_target(to))
    assert not core.broker.is_lagging(SessionId(DEFAULT), parse_target(to))


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
