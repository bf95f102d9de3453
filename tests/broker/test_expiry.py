"""Messages that expire where nobody reads them."""

from __future__ import annotations

from stompd.broker.message import QueueId
from stompd.broker.policy import Expired, Rule
from stompd.broker.requests import Naming
from stompd.broker.units import ExpiryKey
from stompd.store.memory import MemoryStore
from tests.broker.core import NOW, Core

SOON = int(NOW * 1000) + 1000


def test_message_expires_in_a_queue_that_nobody_reads() -> None:
    core = Core()
    core.send(2, "a", expires_ms=SOON)
    core.send(2, "b")

    core.advance(1.0)

    assert (core.depth(), core.rows()) == (1, ["b"])
    assert len(core.broker._catalogue._queues["a"].window) == 1


def test_message_that_only_memory_has_expires_too() -> None:
    core = Core()
    core.send(2, "a", expires_ms=SOON, is_persistent=False)
    core.send(2, "b", is_persistent=False)

    core.advance(1.0)

    assert core.depth() == 1
    assert len(core.broker._catalogue._queues["a"].window) == 1


def test_expired_messages_behind_the_window_leave_the_store() -> None:
    core = Core(window_count=2)
    for body in "abcdef":
        core.send(2, body, expires_ms=SOON if body in "bdf" else 0)

    core.advance(1.0)

    assert (core.depth(), core.rows()) == (3, ["a", "c", "e"])
    core.subscribe(1)
    assert core.run() == ["deliver 1 a", "deliver 1 c", "deliver 1 e"]


def test_expired_messages_leave_a_queue_that_was_not_touched_since_the_restart() -> None:
    core = Core()
    core.send(2, "a", expires_ms=SOON)
    core.send(2, "b")
    core.run()

    restarted = core.restart()
    restarted.now = NOW + 10
    restarted.advance(0.0)

    assert (restarted.depth(), restarted.rows()) == (1, ["b"])


def test_message_with_a_consumer_does_not_expire_under_it() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", expires_ms=SOON)
    core.run()

    core.advance(5.0)

    assert (core.depth(), core.rows()) == (1, ["a"])
    core.acknowledge(1, "a")
    core.run()
    assert (core.depth(), core.rows()) == (0, [])


def test_message_that_expired_with_a_lost_consumer_is_found_later() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", expires_ms=SOON)
    core.advance(5.0)

    core.lose(1)
    core.advance(60.0)

    assert (core.depth(), core.rows()) == (0, [])


def test_delayed_message_expires_before_it_is_due() -> None:
    core = Core()
    core.send(2, "a", delay=100.0, expires_ms=SOON)

    core.advance(2.0)

    assert (core.depth(), core.rows()) == (0, [])
    core.subscribe(1)
    assert core.advance(200.0) == []


def test_large_backlog_is_removed_in_steps() -> None:
    core = Core(window_count=10)
    for number in range(2500):
        core.send(2, f"m{number}", expires_ms=SOON)
    core.run()
    core.now += 1.0

    core.broker.tick(core.now)
    units = []
    while shown := core.effects():
        units += [text for text in shown if text.startswith("persist")]
        while core.journal:
            core.answer()

    assert [text.count("delete") for text in units] == [1000, 1000, 500]
    assert (core.depth(), core.rows()) == (0, [])


def test_nothing_is_looked_for_while_nothing_expires() -> None:
    core = Core()
    core.send(2, "a")
    core.run()

    assert core.broker.next_deadline() == core.now + 150  # when it looks for idle queues


def test_messages_that_are_read_in_time_cost_one_look_a_second() -> None:
    core = Core()
    core.subscribe(1)
    looks = 0
    for number in range(100):
        core.now = NOW + number / 100
        core.send(2, "a", expires_ms=int(core.now * 1000) + 50)
        core.run()
        core.acknowledge(1, "a")
        core.broker.tick(core.now)
        looks += core.effects().count("expired")
        while core.journal:
            core.answer()

    assert looks <= 2


def test_expired_message_that_a_consumer_takes_meanwhile_is_counted_once() -> None:
    core = Core()
    core.send(2, "a", expires_ms=SOON)
    core.run()
    core.now += 1.0
    core.broker.tick(core.now)
    core.subscribe(1)  # its dispatch meets the message before the store answers

    core.run()

    assert (core.depth(), core.rows()) == (0, [])


def keeping(*rules: Rule, store: MemoryStore | None = None, **limits: int) -> Core:
    """Return a core that makes dead letters of what expires in queues."""
    kept = [Rule("/queue/#", expired=Expired.DEAD_LETTER), Rule("/dsub/#", expired=Expired.DEAD_LETTER), *rules]
    return Core(store, kept, **limits)


def letters(core: Core, to: str = "/queue/DLQ.a") -> list[str]:
    """Return the bodies of the dead letters, each after its reason and how often it was delivered."""
    core.open(99)
    core.subscribe(99, to, "letters", prefetch=0)
    bodies = [text.split()[2] for text in core.run() if text.startswith("deliver 99")]
    found = [(body, core.message(99, body).headers) for body in bodies]
    return [f"{headers['dlq-reason']} {headers['dlq-delivery-count']} {body}" for body, headers in found]


def test_expired_message_that_nobody_reads_becomes_a_dead_letter() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON)

    core.advance(1.0)

    assert (core.depth(), core.depth("/queue/DLQ.a")) == (0, 1)
    assert letters(core) == ["expired 0 a"]
    letter = core.message(99, "a")
    assert (letter.headers["original-destination"], letter.expires_ms) == ("/queue/a", 0)
    assert letter.headers["dlq-time"] == str(SOON)


def test_expired_message_is_moved_in_one_unit() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON)
    core.run()
    core.now += 1.0
    core.broker.tick(core.now)
    core.effects()

    core.answer()

    assert core.effects() == ["persist delete a, queue /queue/DLQ.a, insert a"]


def test_message_that_has_expired_when_somebody_comes_becomes_a_dead_letter() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON)
    core.send(2, "b")
    core.run()
    core.now += 1.0

    core.subscribe(1)

    assert core.run() == ["deliver 1 b"]
    assert letters(core) == ["expired 0 a"]
    assert core.depth() == 1


def test_message_that_a_selector_selects_and_that_has_expired_becomes_a_dead_letter() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON)
    core.run()
    core.now += 1.0

    core.subscribe(1, selector="JMSPriority = 4")

    assert core.run() == []
    assert letters(core) == ["expired 0 a"]


def test_message_of_a_group_that_has_expired_becomes_a_dead_letter() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON, headers={"JMSXGroupID": "g"})
    core.subscribe(1, prefetch=1)
    core.send(2, "b", headers={"JMSXGroupID": "g"})
    shown = core.advance(1.0)
    core.reject(1, "a")

    shown += core.run()

    assert shown == ["deliver 1 a", "deliver 1 b"]
    assert letters(core) == ["expired 1 a"]


def test_expired_messages_behind_the_window_become_dead_letters() -> None:
    core = keeping(window_count=2)
    for body in "abcdef":
        core.send(2, body, expires_ms=SOON if body in "bdf" else 0)

    core.advance(1.0)

    assert (core.depth(), core.rows()) == (3, ["a", "c", "e", "b", "d", "f"])
    core.subscribe(1)
    assert core.run() == ["deliver 1 a", "deliver 1 c", "deliver 1 e"]
    assert letters(core) == ["expired 0 b", "expired 0 d", "expired 0 f"]


def test_expired_messages_of_all_priorities_and_queues_become_dead_letters() -> None:
    core = keeping(window_count=1)
    for priority in (0, 9, 4, 9):
        for name in "ab":
            core.send(2, f"{name}{priority}", f"/queue/{name}", priority=priority, expires_ms=SOON)

    core.advance(1.0)

    assert (core.depth(), core.depth("/queue/b")) == (0, 0)
    assert (core.depth("/queue/DLQ.a"), core.depth("/queue/DLQ.b")) == (4, 4)


def test_expired_messages_become_dead_letters_after_a_restart() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON)
    core.send(2, "b")
    core.run()
    core.store.crash()

    restarted = keeping(store=core.store)
    restarted.now = NOW + 10
    restarted.advance(0.0)

    assert restarted.depth() == 1
    assert letters(restarted) == ["expired 0 a"]


def test_crash_while_an_expired_message_is_moved_neither_loses_nor_doubles_it() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON)
    core.run()
    core.store.crash()
    first = keeping(store=core.store)
    first.now += 10
    first.broker.tick(first.now)
    while first.store.find_expired(ExpiryKey(0, QueueId(0), 0), SOON, 1).rows:
        first.effects()
        first.answer()
    first.store.crash()  # before the broker learns that the message was moved

    second = keeping(store=first.store)
    second.now += 20
    second.advance(0.0)

    assert second.depth() == 0
    assert letters(second) == ["expired 0 a"]


def test_dead_letter_that_the_store_refuses_stays_and_is_moved_later() -> None:
    core = keeping(window_count=1)
    core.send(2, "a")
    core.send(2, "b", expires_ms=SOON)
    core.run()
    core.now += 1.0
    core.broker.tick(core.now)
    while not any("insert b" in text for text in core.effects()):
        core.answer()

    core.refuse_unit()

    core.run()
    assert (core.depth(), core.rows()) == (2, ["a", "b"])
    core.subscribe(1)
    assert core.run() == ["deliver 1 a"]
    assert letters(core) == ["expired 0 b"]
    assert core.depth() == 1


def test_message_that_only_memory_has_becomes_a_dead_letter_of_the_same_kind() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON, is_persistent=False)

    core.advance(1.0)

    assert (core.depth(), core.depth("/queue/DLQ.a"), core.rows()) == (0, 1, [])
    assert letters(core) == ["expired 0 a"]


def test_delayed_message_that_expires_before_it_is_due_becomes_a_dead_letter() -> None:
    core = keeping()
    core.send(2, "a", delay=100.0, expires_ms=SOON)

    core.advance(2.0)

    assert letters(core) == ["expired 0 a"]
    core.subscribe(1)
    assert core.advance(200.0) == []


def test_message_that_expired_with_a_lost_consumer_becomes_a_dead_letter_with_its_count() -> None:
    core = keeping()
    core.subscribe(1)
    core.send(2, "a", expires_ms=SOON)
    core.advance(5.0)

    core.lose(1)
    core.advance(60.0)

    assert core.depth() == 0
    assert letters(core) == ["expired 1 a"]


def test_expired_message_of_a_durable_subscription_becomes_a_dead_letter() -> None:
    core = keeping()
    core.open(4, "c")
    core.subscribe(4, "/topic/t", naming=Naming("n"))
    core.lose(4)
    core.send(2, "a", "/topic/t", expires_ms=SOON)

    core.advance(1.0)

    assert letters(core, "/queue/DLQ.dsub/c.n") == ["expired 0 a"]
    assert core.message(99, "a").headers["original-destination"] == "/topic/t"


def test_message_that_expires_in_a_dead_letter_queue_is_dropped() -> None:
    core = keeping()
    core.send(2, "a", "/queue/DLQ.a", expires_ms=SOON)

    core.advance(1.0)

    assert (core.depth("/queue/DLQ.a"), core.depth("/queue/DLQ.DLQ.a"), core.rows()) == (0, 0, [])


def test_most_specific_rule_says_what_becomes_of_expired_messages() -> None:
    core = keeping(Rule("/queue/a", expired=Expired.DROP))
    core.send(2, "a", expires_ms=SOON)
    core.send(2, "b", "/queue/b", expires_ms=SOON)

    core.advance(1.0)

    assert core.rows() == ["b"]
    assert letters(core, "/queue/DLQ.b") == ["expired 0 b"]


def test_expired_message_of_a_topic_or_a_temporary_queue_is_dropped() -> None:
    core = keeping()
    core.subscribe(1, "/topic/t", prefetch=1)
    core.send_all(2, "a", "/topic/t")
    core.send(2, "b", "/topic/t", expires_ms=SOON)

    shown = core.advance(2.0)

    core.acknowledge(1, "a")
    assert shown + core.run() == ["deliver 1 a"]
    assert core.rows() == []


def test_expired_message_is_dropped_when_there_may_be_no_queue_more() -> None:
    core = keeping(queues=1)
    core.send(2, "a", expires_ms=SOON)

    core.advance(1.0)

    assert (core.depth(), core.rows()) == (0, [])


def test_large_backlog_of_expired_messages_becomes_dead_letters_by_stretches() -> None:
    core = keeping(window_count=10)
    for number in range(2500):
        core.send(2, f"m{number}", expires_ms=SOON)
    core.run()
    core.now += 1.0

    core.broker.tick(core.now)
    core.run()

    assert (core.depth(), core.depth("/queue/DLQ.a")) == (0, 2500)
    assert core.loads < 20


def test_expired_message_that_only_the_store_has_is_dropped_when_there_may_be_no_queue_more() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON)
    core.run()
    core.store.crash()

    restarted = keeping(store=core.store, queues=1)
    restarted.now = NOW + 10
    restarted.advance(0.0)

    assert (restarted.depth(), restarted.rows()) == (0, [])


def test_message_that_a_page_brings_while_it_is_being_read_becomes_one_dead_letter() -> None:
    core = keeping()
    core.send(2, "a", expires_ms=SOON + 500)
    core.send(2, "b", expires_ms=SOON)
    core.run()
    core.store.crash()
    restarted = keeping(store=core.store)
    restarted.now = NOW + 2
    restarted.broker.tick(restarted.now)
    restarted.effects()
    restarted.answer()  # the rows are found; the messages are to be read
    restarted.subscribe(1)  # its dispatch asks for the page before they are

    restarted.run()

    assert restarted.advance(60.0) == []
    assert (restarted.depth(), restarted.depth("/queue/DLQ.a")) == (0, 2)
