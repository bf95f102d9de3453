"""What every worker does with a message: this is the part to copy.

Two transactions cannot be made one: that of the database with the books, and that of the broker, in which a message is
received and the next one is sent. So the books are committed first, the messages second, and whoever is killed in
between gets the same message again. That is harmless because

* the work and the note that it is done are one transaction of the books, and the note has a unique key: the work is
  done once, however often the message comes;
* what is sent depends on the message alone, so it is sent again when the work is skipped;
* the message that came and the one that goes are one transaction of the broker: either both moved on, or neither did.

An order that is refused is moved to the dead letters of its queue, with the reason, in that same transaction. One that
nobody knows how to read raises; then everything is rolled back, the message comes again, and when that has not helped
for a while the broker makes a dead letter of it. Whatever else goes wrong, such as a database that is away, is not the
fault of the order: the process ends, whoever runs it starts it again, and the broker waits longer from time to time.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from sqlalchemy import Connection, Engine

from examples.orders import books
from jms_api import ConnectionFactory, JMSContext, JMSError, Message

#: What was ordered: `order_id`, `item`, `quantity` and `card`.
Order = dict[str, Any]


class Refused(Exception):
    """The order cannot be served; the text says why, for people."""


@final
@dataclass(frozen=True)
class Step:
    """One step that each order takes."""

    name: str
    #: The queue that orders come from, and the one they go to; None after the last step.
    source: str
    target: str | None
    #: Does the work in a transaction of the books.
    work: Callable[[Connection, Order], None]


def run(step: Step) -> None:
    """Take that step for every order that comes, until the process ends: `python -m MODULE BROKER DATABASE`."""
    logging.basicConfig(level=logging.WARNING, format=f"{step.name}: %(message)s")
    _, broker, database = sys.argv
    engine = books.open_books(database)
    with ConnectionFactory(broker).create_context(JMSContext.SESSION_TRANSACTED) as context:
        for message in context.create_consumer(f"queue:{step.source}"):
            try:
                with context.transaction():
                    take(step, message, engine, context)
            except (LookupError, TypeError, ValueError, JMSError):
                logging.exception("%s was rolled back, and comes again", message.jms_message_id)


def take(step: Step, message: Message, engine: Engine, context: JMSContext) -> None:
    """Take a step for the order in a message, and send it on; all but the commit of the messages."""
    order = message.get_body(dict) or {}
    producer = context.create_producer()
    try:
        with engine.begin() as transaction:
            if books.claim(transaction, step.name, order["order_id"]):
                step.work(transaction, order)
    except Refused as refusal:
        producer.send(f"queue:DLQ.{step.source}", order, properties={"reason": str(refusal)})
    else:
        if step.target is not None:
            producer.send(f"queue:{step.target}", order)
