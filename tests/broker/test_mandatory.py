"""A mandatory message is refused when nobody would get it."""

from __future__ import annotations

import pytest

from tests.broker.core import Core


@pytest.mark.parametrize(
    "to", ["/topic/t", "/queue/q", "/temp-topic/t", "/queue/there,/queue/q", "/queue/there,/topic/t"]
)
def test_message_that_nobody_would_get_is_refused(to: str) -> None:
    core = Core()
    core.subscribe(2, "/queue/there")

    core.send(1, "a", to, is_mandatory=True, receipt="r")

    assert core.run() == ["refuse 1 undeliverable r"]
    assert "Nothing was sent" in core.errors[0].detail


@pytest.mark.parametrize(
    ("subscribed", "to"),
    [
        ("/topic/t", "/topic/t"),
        ("/topic/#", "/topic/t"),
        ("/queue/q", "/queue/q"),
        ("/queue/*", "/queue/q"),
        ("/queue/q,/topic/t", "/topic/t,/queue/q"),
    ],
)
def test_message_that_somebody_gets_is_sent(subscribed: str, to: str) -> None:
    core = Core()
    core.subscribe(2, subscribed, prefetch=1)

    core.send(1, "a", to, is_mandatory=True, receipt="r")

    assert core.run() == ["confirm 1 r", "deliver 2 a"]


@pytest.mark.parametrize("mine", ["/temp-queue/x", "/temp-topic/x"])
def test_own_temporary_destination_takes_it(mine: str) -> None:
    core = Core()
    core.subscribe(1, mine)

    core.send(1, "a", mine, is_mandatory=True)

    assert core.run() == ["deliver 1 a"]


def test_queue_that_exists_keeps_it() -> None:
    core = Core()
    core.send(1, "a", "/queue/q")
    core.run()

    core.send(1, "b", "/queue/q", is_mandatory=True, receipt="r")

    assert core.run() == ["confirm 1 r"]
    assert core.rows() == ["a", "b"]


def test_refused_message_creates_no_queue() -> None:
    core = Core()

    core.send(1, "a", "/queue/q", is_mandatory=True)

    assert not core.broker._catalogue._queues


def test_message_in_a_transaction_is_refused_at_once() -> None:
    core = Core()
    core.begin(1)

    core.send(1, "a", "/topic/t", transaction="t", is_mandatory=True, receipt="r")

    assert core.run() == ["refuse 1 undeliverable r"]
