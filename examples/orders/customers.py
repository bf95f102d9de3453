"""The customers, who make up orders and ask until the shop has them."""

from __future__ import annotations

import json
import random
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from examples.orders.worker import Order


def make_up_orders(count: int, chance: random.Random) -> dict[int, Order]:
    """Return orders by their numbers: some with a card that has expired, some for what is rare or not sold."""
    orders: dict[int, Order] = {}
    for number in range(1, count + 1):
        (item,) = chance.choices(["tea", "honey", "saffron", "unicorn"], [60, 33, 5, 2])
        card = "expired" if chance.random() < 0.05 else "valid"
        orders[number] = {"item": item, "quantity": chance.randint(1, 5), "card": card}
    return orders


def place_order(url: str, order: Order, deadline: float) -> None:
    """Order until the shop says that it has the order: who gets no answer asks again.

    Raises:
        OSError: The shop refuses the order, or the deadline is over.
    """
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
