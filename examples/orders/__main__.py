"""`python -m examples.orders`: the whole company for a minute, its processes killed at random, and then the balance."""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from examples.orders import balance, books
from examples.orders.processes import Processes
from examples.orders.worker import Order

_WORKERS: Final = ("payment", "stock", "mail")

#: Customers who order at the same time.
_CUSTOMERS: Final = 4

#: From one kill to the next.
_PEACE_SECONDS: Final = (0.1, 0.4)

#: For all orders, and for each: many times what they take.
_PATIENCE_SECONDS: Final = (120.0, 0.5)


def main() -> int:
    """Let orders flow, and return 1 if the balance is wrong."""
    options = _options()
    directory = Path(tempfile.mkdtemp(prefix="orders-"))
    database = options.database or f"sqlite:///{directory / 'books.sqlite3'}"
    store = database if database.startswith("postgresql") else f"sqlite:///{directory / 'broker.sqlite3'}"
    engine, store_engine = books.open_books(database), books.open_books(store)
    books.begin_anew(engine, options.orders)
    chance = random.Random(options.seed)
    orders = dict(_invent(options.orders, chance))
    with Processes(directory) as processes:
        broker, shop = f"stomp://127.0.0.1:{processes.start_broker(store)}", f"127.0.0.1:{_free_port()}"
        processes.start("shop", broker, shop)
        for worker in _WORKERS:
            processes.start(worker, broker, database)
        print(f"Broker, shop and workers run; what they say is in {directory}", flush=True)

        def progress(ordered: int) -> bool:
            done, waiting = balance.done(engine), balance.waiting(store_engine)
            steps = ", ".join(f"{worker} {done[worker]}" for worker in _WORKERS)
            print(f"  {ordered} ordered; done: {steps}; {waiting} wait; {processes.kills.total()} kills", flush=True)
            return ordered == len(orders) and not waiting

        faults = _let_flow(orders, f"http://{shop}/orders", processes, chance, progress)
        letters = balance.read_dead_letters(broker)
    print("Killed:", ", ".join(f"{name} {count} times" for name, count in sorted(processes.kills.items())))
    balance.show(engine, orders, letters)
    faults += balance.faults(engine, orders, letters)
    _say_what_next(faults, store, directory)
    return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000, help="how many orders (default 1000)")
    parser.add_argument("--database", help="URL of an SQLite or PostgreSQL database; its orders_ tables are made anew")
    parser.add_argument("--seed", type=int, default=1, help="what chance begins with (default 1)")
    return parser.parse_args()


def _invent(count: int, chance: random.Random) -> Iterator[tuple[int, Order]]:
    """Yield orders: some with a card that has expired, some for what is rare, some for what nobody sells."""
    for number in range(1, count + 1):
        (item,) = chance.choices(["tea", "honey", "saffron", "unicorn"], [60, 33, 5, 2])
        card = "expired" if chance.random() < 0.05 else "valid"
        yield number, {"item": item, "quantity": chance.randint(1, 5), "card": card}


def _let_flow(
    orders: dict[int, Order], url: str, processes: Processes, chance: random.Random, progress: Callable[[int], bool]
) -> list[str]:
    """Order, kill and start again until nothing waits any more; return what went wrong."""
    deadline = time.monotonic() + _PATIENCE_SECONDS[0] + _PATIENCE_SECONDS[1] * len(orders)
    next_kill = next_look = time.monotonic()
    with ThreadPoolExecutor(_CUSTOMERS) as customers:
        answers = [customers.submit(_order, f"{url}/{number}", order, deadline) for number, order in orders.items()]
        while (now := time.monotonic()) < deadline:
            if now >= next_look:
                next_look = now + 1
                if progress(sum(answer.done() for answer in answers)):
                    failures = (answer.exception() for answer in answers)
                    return [f"the shop did not take an order: {failure}" for failure in failures if failure]
            if now >= next_kill:
                next_kill = now + chance.uniform(*_PEACE_SECONDS)
                processes.kill_one(chance)
            processes.start_what_has_ended()
            time.sleep(0.1)
    return ["some orders still wait"]


def _order(url: str, order: Order, deadline: float) -> None:
    """Order until the shop says that it has the order: who gets no answer asks again."""
    request = Request(url, json.dumps(order).encode(), {"Content-Type": "application/json"}, method="PUT")
    while True:
        try:
            with urlopen(request, timeout=10):
                return
        except OSError as error:
            is_refused = isinstance(error, HTTPError) and error.code == 400
            if is_refused or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


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


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
