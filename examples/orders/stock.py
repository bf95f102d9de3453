"""The worker that takes what was ordered out of the stock."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from examples.orders import books
from examples.orders.worker import Order, Refused, Step, run


def take(transaction: Connection, order: Order) -> None:
    """Take as many as were ordered."""
    left = "UPDATE orders_stock SET count = count - :quantity WHERE item = :item AND count >= :quantity"
    if not books.write(transaction, left, **order):
        raise Refused(f"too little {order['item']} is left")
    books.write(transaction, "INSERT INTO orders_shipments VALUES (:order_id, :item, :quantity)", **order)


TAKING: Final = Step("stock", "orders.stock", "orders.mail", take)

if __name__ == "__main__":
    run(TAKING)
