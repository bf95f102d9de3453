"""The example of order processing: its balance, and the parts that keep it right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from examples.orders import balance, books
from examples.orders.balance import DeadLetter
from examples.orders.payment import PAYMENT
from examples.orders.shop import read_order
from examples.orders.worker import Order, Refused, Step, take
from jms_api import ConnectionFactory, JMSContext
from tests.harness.process import BrokerProcess

#: A run of 200 orders takes about twenty seconds on a machine with nothing else to do.
PATIENCE_SECONDS = 240.0

TEA = {"order_id": 1, "item": "tea", "quantity": 2, "card": "valid"}


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Open books, and leave no connection behind."""
    engine = books.open_books(url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Books in which nothing has happened."""
    with opened(f"sqlite:///{tmp_path / 'books.sqlite3'}") as engine:
        books.begin_anew(engine, 1_000)
        yield engine


@pytest.fixture
def context(broker: BrokerProcess) -> Iterator[JMSContext]:
    """A transacted session."""
    factory = ConnectionFactory(f"stomp://127.0.0.1:{broker.port}")
    with factory.create_context(JMSContext.SESSION_TRANSACTED) as context:
        yield context


def _send(context: JMSContext, *orders: Order) -> None:
    for order in orders:
        context.create_producer().send(f"queue:{PAYMENT.source}", order)
    context.commit()


def _bodies(context: JMSContext, queue: str) -> list[Order]:
    return [message.get_body(dict) or {} for message in context.create_consumer(f"queue:{queue}").messages(500)]


def test_balance_is_right_though_processes_are_killed(database_url: str, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    url = database_url.replace("stompd.sqlite3", "books.sqlite3")

    run = subprocess.run(
        [sys.executable, "-m", "examples.orders", "--orders=200", "--seed=17", f"--database={url}"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TMPDIR": str(files)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    logs = "".join(f"--- {log.name} ---\n{log.read_text()}" for log in files.rglob("*.log"))
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}\n{logs}"
    # With this seed, the worker for payments is the first.
    assert re.search(r"^Killed: .*payment \d+ times", run.stdout, re.MULTILINE), run.stdout
    assert "200 ordered" in run.stdout
    for reason in ("payment: the card has expired", "payment: rejected", "stock: too little saffron is left"):
        assert f"dead letters in DLQ.orders.{reason}" in run.stdout
    with opened(url) as engine:
        payments = balance.count(engine, "SELECT order_id, count(*) FROM orders_payments GROUP BY order_id")
    assert 150 < len(payments) < 200
    assert set(payments.values()) == {1}


def test_order_whose_messages_were_not_committed_is_sent_on_and_not_paid_again(
    engine: Engine, context: JMSContext
) -> None:
    _send(context, TEA)
    consumer = context.create_consumer(f"queue:{PAYMENT.source}")
    first = consumer.receive()
    assert first is not None
    take(PAYMENT, first, engine, context)
    context.rollback()

    again = consumer.receive()
    assert again is not None
    take(PAYMENT, again, engine, context)
    context.commit()

    assert balance.count(engine, "SELECT order_id, pence FROM orders_payments") == {1: 900}
    assert balance.done(engine) == {"payment": 1}
    assert _bodies(context, "orders.stock") == [TEA]


def test_order_that_is_refused_leaves_nothing_but_a_dead_letter_with_the_reason(
    engine: Engine, context: JMSContext, broker: BrokerProcess
) -> None:
    _send(context, {**TEA, "card": "expired"})
    message = context.create_consumer(f"queue:{PAYMENT.source}").receive()
    assert message is not None

    take(PAYMENT, message, engine, context)
    context.commit()

    letter = DeadLetter(1, PAYMENT.source, "the card has expired")
    assert balance.read_dead_letters(f"stomp://127.0.0.1:{broker.port}") == [letter]
    assert balance.done(engine) == {}
    assert _bodies(context, "orders.stock") == []


def test_refusal_undoes_what_the_step_has_written(engine: Engine, context: JMSContext) -> None:
    def pay_and_refuse(transaction: object, order: Order) -> None:
        PAYMENT.work(transaction, order)  # type: ignore[arg-type]  # a transaction it is
        raise Refused("on second thoughts")

    _send(context, TEA)
    message = context.create_consumer(f"queue:{PAYMENT.source}").receive()
    assert message is not None

    take(Step("payment", PAYMENT.source, None, pay_and_refuse), message, engine, context)

    assert balance.count(engine, "SELECT order_id, pence FROM orders_payments") == {}


def test_balance_finds_an_order_that_was_paid_twice(engine: Engine) -> None:
    with engine.begin() as transaction:
        for row in ("payments VALUES (1, 900), (1, 900)", "shipments VALUES (1, 'tea', 2)", "mails VALUES (1, '')"):
            books.write(transaction, f"INSERT INTO orders_{row}")

    faults = list(balance.faults(engine, {1: TEA}, []))

    # The stock was filled for a thousand orders.
    assert faults[0] == "order 1 is 2 times in payments, not 1 times"
    assert "of 3 tea, 2 were shipped and 3000 are left" in faults


def test_balance_finds_an_order_that_was_lost(engine: Engine) -> None:
    faults = list(balance.faults(engine, {1: TEA}, []))

    for table in ("payments", "shipments", "mails"):
        assert f"order 1 is 0 times in {table}, not 1 times" in faults


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (b"/orders/", b'{"item": "tea", "quantity": 1, "card": "valid"}'),
        (b"/orders/one", b'{"item": "tea", "quantity": 1, "card": "valid"}'),
        (b"/orders/1", b"tea"),
        (b"/orders/1", b"[]"),
        (b"/orders/1", b"\xff"),
        (b"/orders/1", b'{"item": "tea", "quantity": "1", "card": "valid"}'),
        (b"/orders/1", b'{"item": "tea", "quantity": true, "card": "valid"}'),
        (b"/orders/1", b'{"item": "tea", "quantity": 0, "card": "valid"}'),
        (b"/orders/1", b'{"item": "tea", "quantity": 1}'),
    ],
)
def test_shop_refuses_what_is_no_order(path: bytes, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_order(path, body)
