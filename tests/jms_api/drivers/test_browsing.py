"""Browsers of queues: JMS 3.1, 4.1.7."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jms_api import IllegalStateException, Queue
from tests.jms_api.drivers.ways import Way

#: More than a consumer is sent ahead.
_MANY = 2500


def texts(browser: Any) -> list[str | None]:
    """Return what a browser shows now."""
    return [message.text for message in browser.enumeration()]


@pytest.mark.jms("QueueBrowser.enumeration", "Session.create_browser")
def test_jms_321_browser_shows_all_in_order_and_takes_nothing(
    session: Any, queue: Queue, fill: Callable[..., None]
) -> None:
    fill(queue, "1", "2", "3")
    browser = session.create_browser(queue)

    shown = texts(browser), texts(browser)
    received = session.create_consumer(queue).receive(10_000)

    assert shown == (["1", "2", "3"], ["1", "2", "3"])
    assert (received.text, received.jms_redelivered) == ("1", False)


def test_jms_321_browser_shows_what_a_message_is(session: Any, queue: Queue) -> None:
    sent = session.create_map_message()
    sent["sku"] = "bolt"
    sent.set_int_property("qty", 5)
    sent.jms_correlation_id = "order 7"
    session.create_producer(queue).send(sent, priority=7)

    (shown,) = session.create_browser(queue).enumeration()

    assert (shown["sku"], shown.properties["qty"], shown.jms_correlation_id) == ("bolt", 5, "order 7")
    assert (shown.jms_message_id, shown.jms_priority, shown.jms_destination) == (sent.jms_message_id, 7, queue)


def test_jms_321_browser_of_an_empty_queue_shows_nothing(session: Any, queue: Queue) -> None:
    browser = session.create_browser(queue)

    assert texts(browser) == []


def test_jms_321_browser_shows_more_than_is_sent_ahead(transacted: Any, session: Any, queue: Queue) -> None:
    producer = transacted.create_producer(queue)
    for number in range(_MANY):
        producer.send(transacted.create_text_message(str(number)))
    transacted.commit()

    shown = texts(session.create_browser(queue))

    assert shown == [str(number) for number in range(_MANY)]


def test_jms_322_browser_shows_what_is_selected(session: Any, queue: Queue) -> None:
    producer = session.create_producer(queue)
    for number in range(4):
        message = session.create_text_message(str(number))
        message.set_int_property("n", number)
        producer.send(message)

    browser = session.create_browser(queue, "n >= 2")

    assert texts(browser) == ["2", "3"]


def test_jms_322_browser_goes_on_with_what_came_meanwhile(
    session: Any, queue: Queue, fill: Callable[..., None]
) -> None:
    browser = session.create_browser(queue)
    before = texts(browser)
    fill(queue, "new")

    after = texts(browser)

    assert (before, after) == ([], ["new"])


def test_jms_324_browser_does_not_show_what_is_not_committed(session: Any, transacted: Any, queue: Queue) -> None:
    transacted.create_producer(queue).send(transacted.create_text_message("open"))
    browser = session.create_browser(queue)
    before = texts(browser)

    transacted.commit()
    after = texts(browser)

    assert (before, after) == ([], ["open"])


def test_jms_325_browser_shows_nothing_while_the_connection_is_stopped(
    connection: Any, session: Any, queue: Queue, fill: Callable[..., None]
) -> None:
    fill(queue, "there")
    browser = session.create_browser(queue)
    connection.stop()
    stopped = texts(browser)

    connection.start()
    started = texts(browser)

    assert (stopped, started) == ([], ["there"])


def test_jms_326_browsing_ends_beside_a_consumer_that_waits_for_an_acknowledgement(
    way: Way, client: Any, queue: Queue, fill: Callable[..., None]
) -> None:
    fill(queue, "1", "2")
    consumer = client.create_consumer(queue)
    first = consumer.receive(10_000)

    texts(client.create_browser(queue))
    way.do(first.acknowledge)
    second = consumer.receive(10_000)

    assert (second.text, second.jms_redelivered) == ("2", False)


@pytest.mark.jms("JMSContext.create_browser")
def test_jms_373_context_has_browsers_too(context: Any, queue: Queue) -> None:
    context.create_producer().send(queue, "one")

    assert texts(context.create_browser(queue)) == ["one"]


def test_jms_214_browser_ends_with_its_session(session: Any, queue: Queue) -> None:
    browser = session.create_browser(queue)
    session.close()

    with pytest.raises(IllegalStateException):
        browser.enumeration()
