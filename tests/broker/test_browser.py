"""Browsing a queue: what is shown, in which order, and that nothing is taken."""

from __future__ import annotations

import pytest

from stompd.broker.requests import AckMode, DeliveryToken, Terms
from tests.broker.core import Core

LOOK = Terms(is_browser=True)
FOLLOW = Terms(is_browser=True, follows=True)


def browse(core: Core, session: int = 2, name: str = "s", *, selector: str = "", terms: Terms = LOOK) -> None:
    core.subscribe(session, name=name, ack=AckMode.AUTO, terms=terms, selector=selector)


def shown(core: Core, session: int = 2) -> list[str]:
    """Write everything that comes; return the bodies, with the end as an empty one."""
    bodies: list[str] = []
    while effects := core.run():
        bodies += [text.removeprefix(f"deliver {session}").strip() for text in effects]
        core.settle_written(session)
    return bodies


def test_everything_is_shown_in_its_order_and_then_the_end() -> None:
    core = Core()
    core.send_all(1, "a b")
    core.send(1, "c", priority=9)
    core.run()

    browse(core)

    assert shown(core) == ["c", "a", "b", ""]


def test_nothing_is_taken() -> None:
    core = Core()
    core.send_all(1, "a b")
    browse(core)
    shown(core)

    core.subscribe(3)

    assert core.run() == ["deliver 3 a", "deliver 3 b"]
    assert core.depth() == 2


def test_empty_queue_has_an_end_and_is_not_kept() -> None:
    core = Core()

    browse(core)

    assert shown(core) == [""]
    core.unsubscribe(2)
    assert not core.broker._catalogue._queues


def test_what_is_only_in_memory_is_shown_in_its_place() -> None:
    core = Core()
    core.send(1, "a")
    core.send(1, "b", is_persistent=False)
    core.send(1, "c")
    core.send(1, "d", is_persistent=False)
    core.run()

    browse(core)

    assert shown(core) == ["a", "b", "c", "d", ""]


def test_long_queue_is_read_in_pages_as_they_are_delivered() -> None:
    core = Core(window_count=4)
    bodies = [f"m{number}" for number in range(40)]
    core.send_all(1, " ".join(bodies))
    core.run()

    browse(core)
    queue = core.broker._sessions[2].subscriptions["s"].queue  # type: ignore[index]
    most, seen = 0, []
    while effects := core.run():
        most = max(most, len(queue.window))
        seen += effects
        core.settle_written(2)

    assert seen == [*[f"deliver 2 {body}" for body in bodies], "deliver 2 "]
    assert most <= 8


def test_session_that_does_not_read_is_shown_no_more_than_two_pages() -> None:
    core = Core(window_count=4)
    core.send_all(1, " ".join(f"m{number}" for number in range(40)))
    core.run()
    core.set_writable(2, False)

    browse(core)

    assert core.run() == []
    assert len(core.broker._sessions[2].subscriptions["s"].queue.window) <= 8  # type: ignore[index]
    core.set_writable(2, True)
    assert len(shown(core)) == 41


def test_what_comes_later_is_not_shown() -> None:
    core = Core(window_count=2)
    core.send_all(1, "a b c")
    core.run()
    browse(core)
    core.effects()

    core.send(1, "late")

    assert shown(core) == ["a", "b", "c", ""]


def test_selector_chooses_what_is_shown() -> None:
    core = Core()
    core.send(1, "r1", headers={"colour": "red"})
    core.send(1, "b1", headers={"colour": "blue"})
    core.run()

    browse(core, selector="colour = 'blue'")

    assert shown(core) == ["b1", ""]


def test_what_is_not_due_or_has_expired_is_not_shown() -> None:
    core = Core()
    core.send(1, "later", delay=10)
    core.send(1, "gone", expires_ms=round((core.now + 1) * 1000))
    core.send(1, "a")
    core.run()
    core.now += 5

    browse(core)

    assert shown(core) == ["a", ""]


def test_what_has_become_due_is_shown() -> None:
    core = Core()
    core.send(1, "first", delay=10)
    core.send(1, "second")
    core.run()
    core.advance(11)

    browse(core)

    assert shown(core) == ["first", "second", ""]


def test_what_is_not_committed_is_not_shown() -> None:
    core = Core()
    core.begin(1)
    core.send(1, "a", transaction="t")

    browse(core)

    assert shown(core) == [""]


def test_what_a_consumer_has_is_shown_with_its_count() -> None:
    core = Core()
    core.send(1, "a")
    core.subscribe(3)
    core.run()

    browse(core)

    assert shown(core) == ["a", ""]


def test_what_was_acknowledged_is_not_shown() -> None:
    core = Core()
    core.send_all(1, "a b")
    core.subscribe(3)
    core.run()
    core.acknowledge(3, "a")

    browse(core)

    assert shown(core) == ["b", ""]


def test_two_browsers_do_not_mind_each_other() -> None:
    core = Core()
    core.send_all(1, "a b")
    core.run()

    browse(core, 2)
    browse(core, 3)

    assert sorted(core.run()) == sorted(f"deliver {session} {body}" for session in (2, 3) for body in ("a", "b", ""))


def test_browser_that_follows_shows_what_arrives_and_no_end() -> None:
    core = Core()
    core.send(1, "a")
    core.run()
    browse(core, terms=FOLLOW)
    assert shown(core) == ["a"]

    core.send(1, "b")
    core.send(1, "c", is_persistent=False)

    assert shown(core) == ["b", "c"]


def test_browser_that_follows_shows_each_message_once() -> None:
    core = Core(window_count=2)
    core.send_all(1, "a b c d e")
    core.run()
    browse(core, terms=FOLLOW)
    core.effects()

    core.send(1, "f")
    core.send(1, "g", priority=9)
    core.send(1, "h", is_persistent=False)

    assert sorted(shown(core)) == list("abcdefgh")


def test_browser_that_follows_shows_what_a_consumer_takes_at_once() -> None:
    core = Core()
    core.subscribe(3)
    browse(core, terms=FOLLOW)
    core.run()

    core.send(1, "a")

    assert sorted(core.run()) == ["deliver 2 a", "deliver 3 a"]


def test_browser_that_falls_too_far_behind_is_refused() -> None:
    core = Core(topic_backlog=3)
    browse(core, terms=FOLLOW)
    core.run()
    core.set_writable(2, False)

    core.send_all(1, "a b c d")

    assert core.run() == ["refuse 2 slow-consumer"]


def test_nothing_is_shown_after_the_browser_was_closed() -> None:
    core = Core(window_count=2)
    core.send_all(1, "a b c d e")
    core.run()
    browse(core)
    core.effects()

    core.unsubscribe(2, receipt="r")

    assert core.run() == ["confirm 2 r"]
    assert core.broker._catalogue._queues["a"].browsers is None


def test_session_may_be_lost_while_it_browses() -> None:
    core = Core()
    core.send_all(1, "a b")
    core.run()
    browse(core)
    core.effects()

    core.lose(2)

    assert core.run() == []
    assert core.depth() == 2


@pytest.mark.parametrize("is_named_by_token", [True, False])
def test_what_is_shown_cannot_be_acknowledged(is_named_by_token: bool) -> None:
    core = Core()
    core.send(1, "a")
    browse(core)
    core.run()

    core.acknowledge(2, DeliveryToken(1, 1) if is_named_by_token else core.message_name(2, "a"))

    assert core.run() == ["refuse 2 unknown-delivery"]
    assert "browses /queue/a" in core.errors[0].detail


def test_receipt_says_how_much_is_shown_at_a_time() -> None:
    core = Core()

    core.subscribe(2, ack=AckMode.AUTO, terms=LOOK, prefetch=7, receipt="r")

    assert core.run() == ["confirm 2 r prefetch-count:7", "deliver 2 "]


def test_browsers_count_among_the_subscriptions_of_a_session() -> None:
    core = Core(subscriptions=1)
    browse(core)
    core.run()

    browse(core, name="t")

    assert core.run() == ["refuse 2 limit-exceeded"]


@pytest.mark.parametrize("has_consumer", [False, True])
def test_who_follows_is_shown_a_delayed_message_when_it_is_due(has_consumer: bool) -> None:
    core = Core()
    if has_consumer:
        core.subscribe(3)
    core.send(1, "before", delay=1.0)
    browse(core, terms=FOLLOW)
    core.run()
    core.send(1, "after", delay=2.0)
    core.run()

    early = core.advance(0.5)
    late = core.advance(5.0)

    assert early == []
    assert [text for text in late if text.startswith("deliver 2")] == ["deliver 2 before", "deliver 2 after"]


def test_what_was_due_before_is_shown_once_to_who_follows() -> None:
    core = Core()
    core.send(1, "a", delay=1.0)
    core.run()
    core.advance(2.0)
    browse(core, terms=FOLLOW)
    shown = core.run()

    core.subscribe(3)

    assert shown == ["deliver 2 a"]
    assert core.run() == ["deliver 3 a"]


def test_what_comes_back_later_is_not_shown_again_to_who_follows() -> None:
    core = Core()
    core.subscribe(3, prefetch=1)
    core.send(1, "a")
    browse(core, terms=FOLLOW)
    core.run()

    core.reject(3, "a", delay_ms=1000)
    core.run()

    assert core.advance(2.0) == ["deliver 3 a again 1"]


def test_who_follows_a_temporary_queue_is_shown_what_becomes_due() -> None:
    core = Core()
    core.subscribe(2, "/temp-queue/t", ack=AckMode.AUTO, terms=FOLLOW)
    core.run()

    core.send(2, "a", "/temp-queue/t", delay=1.0)

    assert core.advance(2.0) == ["deliver 2 a"]


def test_who_does_not_follow_is_not_shown_what_becomes_due() -> None:
    core = Core()
    core.send(1, "a", delay=1.0)
    browse(core)

    assert core.advance(2.0) == ["deliver 2 "]
