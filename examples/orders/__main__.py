"""`python -m examples.orders`: the whole company for a minute, its processes killed at random, and then the balance."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from examples.orders import balance, books
from examples.orders.customers import make_up_orders, place_order
from examples.orders.processes import Processes, free_port
from examples.orders.worker import Order

_WORKERS: Final = ("payment", "stock", "mail")

#: Customers who order at the same time.
_CUSTOMERS: Final = 4

#: From one kill to the next.
_PEACE_SECONDS: Final = (0.1, 0.4)

#: For all orders, and beside that for each: many times what they take.
_PATIENCE_SECONDS: Final = 120.0
_PATIENCE_FOR_EACH_SECONDS: Final = 0.5


def main() -> int:
    """Let orders flow, and return 1 if the balance is wrong."""
    options = _options()
    directory = Path(tempfile.mkdtemp(prefix="orders-"))
    database = options.database or f"sqlite:///{directory / 'books.sqlite3'}"
    store = database if database.startswith("postgresql") else f"sqlite:///{directory / 'broker.sqlite3'}"
    company_books, broker_tables = books.open_books(database), books.open_books(store)
    books.begin_anew(company_books, options.orders)
    chance = random.Random(options.seed)
    orders = make_up_orders(options.orders, chance)
    with Processes(directory) as processes:
        broker, shop = f"stomp://127.0.0.1:{processes.start_broker(store)}", f"127.0.0.1:{free_port()}"
        processes.start("shop", broker, shop)
        for worker in _WORKERS:
            processes.start(worker, broker, database)
        print(f"Broker, shop and workers run; what they say is in {directory}", flush=True)
        faults = _do_business(orders, f"http://{shop}/orders", processes, chance, company_books, broker_tables)
        letters = balance.read_dead_letters(broker)
    print("Killed:", ", ".join(f"{name} {count} times" for name, count in sorted(processes.kills.items())))
    balance.show(company_books, orders, letters)
    faults += balance.faults(company_books, orders, letters)
    _say_what_next(faults, store, directory)
    return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000, help="how many orders (default 1000)")
    parser.add_argument("--database", help="URL of an SQLite or PostgreSQL database; its orders_ tables are made anew")
    parser.add_argument("--seed", type=int, default=1, help="what chance begins with (default 1)")
    return parser.parse_args()


def _do_business(
    orders: dict[int, Order],
    url: str,
    processes: Processes,
    chance: random.Random,
    company_books: Engine,
    broker_tables: Engine,
) -> list[str]:
    """Let customers order while processes are killed, until no order waits any more; return what went wrong."""
    deadline = time.monotonic() + _PATIENCE_SECONDS + _PATIENCE_FOR_EACH_SECONDS * len(orders)
    next_kill = next_look = time.monotonic()
    with ThreadPoolExecutor(_CUSTOMERS) as customers:
        placed = [customers.submit(place_order, f"{url}/{number}", order, deadline) for number, order in orders.items()]
        while (now := time.monotonic()) < deadline:
            if now >= next_kill:
                next_kill = now + chance.uniform(*_PEACE_SECONDS)
                processes.kill_one(chance)
            processes.start_what_has_ended()
            if now >= next_look:
                next_look = now + 1
                if _is_everything_done(placed, processes, company_books, broker_tables):
                    return [
                        f"the shop did not take an order: {order.exception()}" for order in placed if order.exception()
                    ]
            time.sleep(0.1)
    return ["some orders still wait"]


def _is_everything_done(
    placed: Sequence[Future[None]], processes: Processes, company_books: Engine, broker_tables: Engine
) -> bool:
    """Show how far it is, and return whether all orders are placed and none waits for a step."""
    ordered = sum(order.done() for order in placed)
    done, waiting = balance.done(company_books), balance.waiting(broker_tables)
    steps = ", ".join(f"{worker} {done[worker]}" for worker in _WORKERS)
    print(f"  {ordered} ordered; done: {steps}; {waiting} wait; {processes.kills.total()} kills", flush=True)
    return ordered == len(placed) and not waiting


def _say_what_next(faults: Sequence[str], store: str, directory: Path) -> None:
    if faults:
        print("\nWRONG:", *faults, sep="\n  ")
        print(f"\nNext: look for these orders in {directory}/*.log, and run it again with the same --seed.")
        return
    print("\nRight: every order was paid, shipped and confirmed once, or is a dead letter with its reason.\n")
    print(f"Next: start the broker again, stompd --store {store}")
    print("  look at a dead letter:     stompd receive --no-ack /queue/DLQ.orders.stock")
    print("  buy saffron, then replay:  stompd replay DLQ.orders.stock --to /queue/orders.stock")
    print("  and read examples/orders/worker.py, which is the part to copy.")


if __name__ == "__main__":
    sys.exit(main())
