"""Whether it all came out right: the books beside the dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, final

from sqlalchemy import Engine, text

from examples.orders import books
from examples.orders.worker import Order
from jms_api import ConnectionFactory, JMSContext

QUEUES: Final = ("orders.payment", "orders.stock", "orders.mail")

#: The broker needs less to find what is in a queue.
_PATIENCE_MS: Final = 2_000


@final
class DeadLetter(NamedTuple):
    """An order that could not be served."""

    order_id: int
    queue: str
    reason: str


def read_dead_letters(broker: str) -> list[DeadLetter]:
    """Return the dead letters, and leave them where they are."""
    letters = []
    with ConnectionFactory(broker).create_context(JMSContext.SESSION_TRANSACTED) as context:
        for queue in QUEUES:
            for message in context.create_consumer(f"queue:DLQ.{queue}").messages(_PATIENCE_MS):
                # Of ours, or else of the broker, which says `rejected` or `max-deliveries`.
                reason = message.properties.get("reason") or message.properties.get("dlq-reason")
                order = message.get_body(dict) or {}
                letters.append(DeadLetter(order["order_id"], queue, str(reason or "")))
        context.rollback()
    return letters


def count(database: Engine, query: str) -> Counter[Any]:
    """Return what a query for names and numbers finds."""
    with database.connect() as transaction:
        return Counter({row[0]: row[1] for row in transaction.execute(text(query))})


def waiting(store: Engine) -> int:
    """Return how many orders wait for a step, as the broker's own tables say."""
    messages = count(store, "SELECT name, message_count FROM stompd_queues")
    return sum(messages[f"/queue/{queue}"] for queue in QUEUES)


def done(engine: Engine) -> Counter[str]:
    """Return how many orders have taken each step."""
    return count(engine, "SELECT step, count(*) FROM orders_done GROUP BY step")


def faults(engine: Engine, orders: Mapping[int, Order], letters: Sequence[DeadLetter]) -> Iterator[str]:
    """Yield a sentence for everything that is wrong."""
    unpaid = {letter.order_id for letter in letters if letter.queue == "orders.payment"}
    dead = {letter.order_id for letter in letters}
    for table, without in (("payments", unpaid), ("shipments", dead), ("mails", dead)):
        times = count(engine, f"SELECT order_id, count(*) FROM orders_{table} GROUP BY order_id")
        for number in sorted(times.keys() | orders):
            right = int(number in orders and number not in without)
            if times[number] != right:
                yield f"order {number} is {times[number]} times in {table}, not {right} times"
    for item, (first, left, shipped) in stock(engine, len(orders)).items():
        if first != left + shipped:
            yield f"of {first} {item}, {shipped} were shipped and {left} are left"
    yield from (f"order {letter.order_id} is dead without a reason" for letter in letters if not letter.reason)
    for number, order in orders.items():
        if (number in unpaid) == (order["card"] == "valid" and order["item"] in books.GOODS):
            yield f"order {number} was {'not ' * (number in unpaid)}paid by mistake"


def stock(engine: Engine, orders: int) -> dict[str, tuple[int, int, int]]:
    """Return of everything how many there were before so many orders came, are left, and were shipped."""
    left = count(engine, "SELECT item, count FROM orders_stock")
    shipped = count(engine, "SELECT item, sum(quantity) FROM orders_shipments GROUP BY item")
    return {item: (books.first(item, orders), left[item], shipped[item]) for item in books.GOODS}


def show(engine: Engine, orders: Mapping[int, Order], letters: Sequence[DeadLetter]) -> None:
    """Print the balance."""
    again = count(engine, "SELECT 'again', coalesce(sum(times - 1), 0) FROM orders_done")["again"]
    print(f"\nThe balance of {len(orders)} orders:")
    for table in ("payments", "shipments", "mails"):
        print(f"  {count(engine, f'SELECT 1, count(*) FROM orders_{table}')[1]} {table}")
    for item, (first, left, shipped) in stock(engine, len(orders)).items():
        print(f"  {first} of {item} at first = {left} left + {shipped} shipped")
    for (queue, reason), number in sorted(Counter((letter.queue, letter.reason) for letter in letters).items()):
        print(f"  {number} dead letters in DLQ.{queue}: {reason}")
    dead = {letter.order_id for letter in letters}
    print(f"  {len(dead)} orders could not be served, {len(letters) - len(dead)} of them ordered and refused twice")
    print(f"  {again} times an order came again for a step that was done, which was not done twice")
