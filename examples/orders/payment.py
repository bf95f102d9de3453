"""The worker that has orders paid."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from examples.orders import books
from examples.orders.worker import Order, Refused, Step, run


def pay(transaction: Connection, order: Order) -> None:
    """Charge the card; a bank elsewhere would be given the number of the order, so that it pays once too."""
    price, _ = books.GOODS[order["item"]]  # nobody foresaw what is not sold: KeyError
    if order["card"] == "expired":
        raise Refused("the card has expired")
    pence = price * order["quantity"]
    books.write(transaction, "INSERT INTO orders_payments VALUES (:order_id, :pence)", **order, pence=pence)


PAYMENT: Final = Step("payment", "orders.payment", "orders.stock", pay)

if __name__ == "__main__":
    run(PAYMENT)
