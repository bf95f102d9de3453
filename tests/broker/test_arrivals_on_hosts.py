"""Virtual hosts, and what is kept beside queues: retained messages, logs, jobs, ids of senders, accounts."""

from __future__ import annotations

import pytest

from stompd.broker.destination import parse_destination
from stompd.broker.message import Retain
from stompd.broker.policy import Overflow, Rule
from stompd.broker.requests import Inspect, Origin, Send
from stompd.store.memory import MemoryStore
from tests.broker.core import Core, new_message

SHOP, DEFAULT = 11, 1
TOPIC = "/topic/a"
ALL = Origin("retroactive:true")
MANAGEMENT = "/topic/ActiveMQ.Scheduler.Management"


def new_core(*rules: Rule, **limits: int) -> Core:
    """Return a core with a session on the host `shop` beside those on the default one."""
    core = Core(MemoryStore(), rules, **limits)
    core.open(SHOP, host="shop")
    return core


def restarted(core: Core, *rules: Rule) -> Core:
    """Return the core after a restart, with the same sessions."""
    core = core.restart(rules)
    core.open(SHOP, host="shop")
    return core


def question(session: int, core: Core, *, removes: bool = False) -> list[str]:
    """Ask about the schedule, and return the bodies of the answers."""
    request = Send(parse_destination(MANAGEMENT), new_message("", MANAGEMENT))
    request.inspect = Inspect(removes, reply_to=parse_destination("/queue/replies"))
    core.submit(session, request)
    core.run()
    core.subscribe(session, "/queue/replies", "replies", prefetch=0)
    return [text.split(" ")[2] for text in core.run()]


@pytest.mark.parametrize("topic", [TOPIC, "/topic/*"])
def test_retained_message_is_for_its_host(topic: str) -> None:
    core = new_core()
    core.send(SHOP, "s", TOPIC, wishes={"retain": Retain.SET})
    core.run()

    core.subscribe(DEFAULT, topic)
    core.subscribe(SHOP, topic)

    assert core.run() == ["deliver 11 s"]


def test_retained_messages_of_hosts_are_told_apart_after_a_restart() -> None:
    core = new_core()
    core.send(SHOP, "s", TOPIC, wishes={"retain": Retain.SET})
    core.send(DEFAULT, "d", TOPIC, wishes={"retain": Retain.SET})
    core.run()
    core = restarted(core)

    core.subscribe(DEFAULT, TOPIC)
    core.subscribe(SHOP, TOPIC)

    assert core.run() == ["deliver 1 d", "deliver 11 s"]
    assert core._deliveries[SHOP, "s"].entry.message.destination == TOPIC


def test_ids_of_senders_on_two_hosts_do_not_meet() -> None:
    core = new_core()
    core.send(SHOP, "s", wishes={"dedup_id": "1"}, receipt="r")
    core.send(DEFAULT, "d", wishes={"dedup_id": "1"}, receipt="r")
    assert core.run() == ["confirm 11 r", "confirm 1 r"]
    core = restarted(core)

    core.send(SHOP, "s", wishes={"dedup_id": "1"}, receipt="again")

    assert core.run() == ["confirm 11 again duplicate:true"]


def test_past_of_a_topic_is_that_of_its_host() -> None:
    rule = Rule(TOPIC, retention_messages=10)
    core = new_core(rule)
    core.send(SHOP, "s", TOPIC)
    core.send(DEFAULT, "d", TOPIC)
    core.run()
    core.subscribe(SHOP, TOPIC, origin=ALL)
    assert core.run() == ["deliver 11 s"]
    core = restarted(core, rule)

    core.subscribe(DEFAULT, TOPIC, origin=ALL)
    core.subscribe(SHOP, TOPIC, origin=ALL)

    assert core.run() == ["deliver 1 d", "deliver 11 s"]


def test_job_sends_on_its_host() -> None:
    core = new_core()
    headers = {"schedule-period": "1000", "schedule-repeat": "-1"}
    core.send(SHOP, "s", headers=headers, wishes={"is_repeated": True})
    core.run()
    core = restarted(core)
    core.subscribe(DEFAULT, prefetch=0)
    core.subscribe(SHOP, prefetch=0)

    assert set(core.advance(1)) == {"deliver 11 s"}


def test_schedule_of_a_host_is_seen_and_cancelled_there_alone() -> None:
    core = new_core()
    headers = {"schedule-period": "1000", "schedule-repeat": "-1"}
    for session, body in ((SHOP, "s"), (DEFAULT, "d")):
        core.send(session, body, headers=headers, wishes={"is_repeated": True}, delay=60)
        core.send(session, f"{body}-later", delay=60)
    core.run()

    shown = question(SHOP, core)
    question(SHOP, core, removes=True)

    assert shown[:2] == ["s", "s-later"]
    assert len(shown) == 3  # and how many there were
    assert core.depth() == 1
    assert core.rows().count("d") == 1
    assert "s" not in core.rows()


def test_rule_holds_on_each_host_by_itself() -> None:
    core = new_core(Rule("/queue/a", max_messages=1, overflow=Overflow.DROP_NEW))
    core.send(SHOP, "s", receipt="r")
    core.send(DEFAULT, "d", receipt="r")
    core.send(SHOP, "t", receipt="t")

    assert core.run() == ["confirm 11 r", "confirm 1 r", "confirm 11 t dropped:true"]


def test_head_of_a_full_queue_becomes_a_dead_letter_of_its_host() -> None:
    core = new_core(Rule("/queue/a", max_messages=1, overflow=Overflow.DEAD_LETTER))
    core.send_all(SHOP, "s t")
    core.run()
    core.subscribe(DEFAULT, "/queue/DLQ.a")
    core.subscribe(SHOP, "/queue/DLQ.a")

    assert core.run() == ["deliver 11 s"]


def test_idle_queue_of_a_host_is_removed() -> None:
    core = new_core(idle_queue_seconds=10)
    core.send(SHOP, "s")
    core.subscribe(SHOP)
    core.run()
    core.acknowledge(SHOP, "s")
    core.unsubscribe(SHOP)
    core.run()

    core.advance(5)
    core.advance(10)
    core.advance(10)

    assert not core.broker._catalogue.has_queues
    assert not core.store._queues


def test_consumers_are_counted_on_each_host() -> None:
    core = new_core(Rule("/queue/a", consumers=1))
    core.subscribe(DEFAULT)
    core.subscribe(SHOP, receipt="r")

    assert core.run() == ["confirm 11 r prefetch-count:100"]
