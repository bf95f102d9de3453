"""Messages that are due later than they are sent."""

from __future__ import annotations

from tests.broker.core import NOW, Core


def test_delayed_message_comes_when_it_is_due() -> None:
    core = Core()
    core.subscribe(1)

    core.send(2, "a", delay=5.0, receipt="r")

    assert core.run() == ["confirm 2 r"]
    assert core.advance(4.999) == []
    assert core.advance(0.001) == ["deliver 1 a"]


def test_delayed_message_is_in_the_store_and_not_in_memory() -> None:
    core = Core()
    core.send_all(2, "x")
    core.send(2, "a", delay=5.0)
    core.run()

    queue = core.broker._catalogue._queues["a"]

    assert (core.depth(), len(queue.window), core.rows()) == (2, 1, ["x", "a"])


def test_delayed_message_takes_the_place_of_its_sending() -> None:
    core = Core()
    core.send(2, "a", delay=5.0)
    core.send_all(2, "b c")
    core.run()
    core.subscribe(1, prefetch=1)

    assert core.run() == ["deliver 1 b"]
    core.advance(5.0)
    core.acknowledge(1, "b")

    assert core.run() == ["deliver 1 a"]


def test_pages_leave_delayed_messages_out() -> None:
    core = Core(window_count=2)
    for body in "abcdef":
        core.send(2, body, delay=5.0 if body in "be" else 0.0)
    core.run()

    core.subscribe(1)

    assert core.run() == [f"deliver 1 {body}" for body in "acdf"]
    assert core.advance(5.0) == ["deliver 1 b", "deliver 1 e"]


def test_message_that_became_due_waits_for_those_before_it_in_the_store() -> None:
    core = Core(window_count=2)
    core.send_all(2, "a b c d e f")
    core.send(2, "g", delay=1.0)
    core.run()
    core.subscribe(1, prefetch=1)
    core.run()
    core.advance(2.0)

    delivered = []
    for body in "abcdef":
        core.acknowledge(1, body)
        delivered += core.run()

    assert delivered == [f"deliver 1 {body}" for body in "bcdefg"]


def test_delayed_message_survives_a_crash_with_its_time() -> None:
    core = Core()
    core.send(2, "a", delay=5.0)
    core.run()

    restarted = core.restart()
    restarted.subscribe(1)

    assert restarted.depth() == 1
    assert restarted.advance(4.999) == []
    assert restarted.advance(0.001) == ["deliver 1 a"]


def test_many_due_messages_are_fetched_page_by_page() -> None:
    core = Core(window_count=3)
    bodies = [f"m{number}" for number in range(30)]
    for body in bodies:
        core.send(2, body, delay=5.0)
    core.run()
    queue = core.broker._catalogue._queues["a"]

    core.subscribe(1, prefetch=1)
    core.advance(6.0)

    assert len(queue.window) <= 12
    delivered = []
    for body in bodies:
        core.acknowledge(1, body)
        delivered += core.run()
    assert delivered == [f"deliver 1 {body}" for body in bodies[1:]]
    assert core.depth() == 0


def test_due_messages_of_a_queue_that_nobody_reads_stay_in_the_store() -> None:
    core = Core()
    core.send(2, "a", delay=1.0)

    core.advance(10.0)

    assert len(core.broker._catalogue._queues["a"].window) == 0
    core.subscribe(1)
    assert core.run() == ["deliver 1 a"]


def test_delayed_message_in_a_transaction_is_due_from_its_sending() -> None:
    core = Core()
    core.subscribe(1)
    core.begin(2)
    core.send(2, "a", delay=5.0, transaction="t")
    core.run()
    core.now += 4.0

    core.commit(2)

    assert core.advance(0.999) == []
    assert core.advance(0.001) == ["deliver 1 a"]


def test_transaction_that_took_longer_than_the_delay_sends_at_once() -> None:
    core = Core()
    core.subscribe(1)
    core.begin(2)
    core.send(2, "a", delay=5.0, transaction="t")
    core.run()
    core.now += 6.0

    core.commit(2)

    assert core.run() == ["deliver 1 a"]


def test_delayed_message_that_is_not_persistent_is_gone_after_a_restart() -> None:
    core = Core()
    core.send(2, "a", delay=5.0, is_persistent=False)
    core.send(2, "b", delay=5.0)
    core.run()

    restarted = core.restart()
    restarted.subscribe(1)

    assert restarted.advance(5.0) == ["deliver 1 b"]


def test_delayed_message_that_is_not_persistent_is_delivered() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", delay=5.0, is_persistent=False)

    assert core.advance(5.0) == ["deliver 1 a"]
    core.acknowledge(1, "a")
    core.run()
    assert (core.depth(), core.rows()) == (0, [])


def test_message_that_expires_before_it_is_due_is_never_delivered() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", delay=5.0, expires_ms=int(NOW * 1000) + 3000)

    assert core.advance(60.0) == []
    assert (core.depth(), core.rows()) == (0, [])


def test_delayed_message_to_a_topic_reaches_those_who_subscribed_before() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(3, "a", "/topic/t", delay=5.0)
    core.run()
    core.subscribe(2, "/topic/t")

    assert core.advance(5.0) == ["deliver 1 a"]


def test_delayed_messages_to_a_topic_are_limited() -> None:
    core = Core(topic_backlog=3)
    core.subscribe(1, "/topic/t")

    for body in "abcd":
        core.send(2, body, "/topic/t", delay=5.0)

    assert core.run() == ["refuse 1 slow-consumer"]


def test_delayed_messages_to_a_topic_are_forgotten_with_its_subscription() -> None:
    core = Core()
    core.subscribe(1, "/topic/t")
    core.send(2, "a", "/topic/t", delay=5.0)
    core.run()

    core.unsubscribe(1)
    core.run()

    assert core.broker.next_deadline() is None


def test_clock_set_back_loses_nothing() -> None:
    core = Core()
    core.subscribe(1)
    core.send(2, "a", delay=5.0)
    core.advance(5.0)
    core.now -= 4.0

    core.send(2, "b", delay=1.0)

    assert core.advance(10.0) == ["deliver 1 b"]


def test_heap_of_due_times_stays_small() -> None:
    core = Core()
    for number in range(1000):
        core.send(2, f"m{number}", delay=5000.0 - number)
    core.run()

    assert len(core.broker._deadlines._heap) < 200


def test_more_urgent_message_that_became_due_is_delivered_first() -> None:
    core = Core(window_count=2)
    core.send(2, "a", delay=1.0, priority=9)
    core.send_all(2, "b c d e f g")
    core.run()
    core.subscribe(1, prefetch=1)
    core.run()

    core.advance(2.0)
    core.acknowledge(1, "b")

    assert core.run() == ["deliver 1 a"]


def _send_due(core: Core, bodies: str) -> None:
    """Send messages that are due one after the other from one second on; the first letter of a body is its colour."""
    for number, body in enumerate(bodies.split()):
        core.send(3, body, delay=1.0 + number / 1000, headers={"colour": body[0]})


def test_match_that_became_due_is_found_behind_many_others() -> None:
    core = Core(window_count=2)
    _send_due(core, " ".join(f"b{number}" for number in range(20)) + " r1 r2 b20 r3")
    core.subscribe(1, selector="colour = 'r'")

    assert core.advance(5.0) == ["deliver 1 r1", "deliver 1 r2", "deliver 1 r3"]

    queue = core.broker._catalogue._queues["a"]
    assert len(queue.window) <= 10


def test_what_became_due_and_matches_nobody_is_left_for_others() -> None:
    core = Core(window_count=2)
    others = [f"b{number}" for number in range(20)]
    _send_due(core, " ".join([*others[:10], "r1", *others[10:], "r2"]))
    core.subscribe(1, selector="colour = 'r'")
    core.advance(5.0)
    core.acknowledge(1, "r1")
    core.unsubscribe(1)

    core.subscribe(2, prefetch=100)

    assert core.advance(5.0) == [f"deliver 2 {body}" for body in others] + ["deliver 2 r2 again 1"]


def test_due_match_that_is_with_a_consumer_is_not_brought_again() -> None:
    core = Core(window_count=2)
    others = [f"b{number}" for number in range(20)]
    _send_due(core, " ".join(others) + " r1")
    core.subscribe(1, selector="colour = 'r'")
    assert core.advance(5.0) == ["deliver 1 r1"]

    core.subscribe(2, prefetch=100)

    assert core.run() == [f"deliver 2 {body}" for body in others]
    core.reject(1, "r1")
    core.unsubscribe(1)
    assert core.run() == ["deliver 2 r1 again 1"]


def test_match_that_became_due_with_others_comes_once_though_memory_was_full_in_between() -> None:
    core = Core(window_count=2)
    for body in [*(f"b{number}" for number in range(14)), "r1", *(f"b{number}" for number in range(14, 30))]:
        core.send(3, body, delay=1.0, headers={"colour": body[0]})
    core.run()
    core.now += 1.0
    core.broker.tick(core.now)
    core.subscribe(1, selector="colour = 'r'")
    for _ in range(5):  # pages of two: four fill the memory, one is looked through
        core.effects()
        core.answer()

    core.subscribe(2, prefetch=8)  # makes room, which others fill up to beyond the match

    assert core.run() == [f"deliver 2 b{number}" for number in range(8)] + ["deliver 1 r1"]


def test_new_selector_finds_what_became_due_and_was_left() -> None:
    core = Core(window_count=2)
    _send_due(core, " ".join(f"b{number}" for number in range(20)) + " g1 r1")
    core.subscribe(1, selector="colour = 'r'")
    core.advance(5.0)

    core.subscribe(2, selector="colour = 'g'")

    assert core.run() == ["deliver 2 g1"]


def test_memory_does_not_grow_with_what_became_due_and_matches() -> None:
    core = Core(window_count=2, window_bytes=20)
    _send_due(core, " ".join(f"b{number}" for number in range(20)) + " " + " ".join(f"r{n}" for n in range(50)))
    core.subscribe(1, selector="colour = 'r'", prefetch=1)
    delivered = core.advance(5.0)

    selections = core.broker._catalogue._queues["a"].selections
    assert selections is not None
    while delivered[-1] != "deliver 1 r49":
        assert len(selections.ahead) <= 12
        core.acknowledge(1, delivered[-1].split()[-1])
        delivered += core.run()

    assert delivered == [f"deliver 1 r{number}" for number in range(50)]


def test_due_match_that_expires_while_it_is_with_a_consumer_stays_with_it() -> None:
    core = Core(window_count=2)
    _send_due(core, " ".join(f"b{number}" for number in range(20)))
    core.send(3, "r1", delay=2.0, headers={"colour": "r"}, expires_ms=round(NOW * 1000) + 10_000)
    core.subscribe(1, selector="colour = 'r'")
    core.advance(5.0)

    core.advance(10.0)

    assert core.depth() == 21
    core.unsubscribe(1)
    core.advance(100.0)
    assert core.depth() == 20
