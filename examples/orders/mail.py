"""The worker that writes to customers."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from examples.orders import books
from examples.orders.worker import Order, Step, run


def confirm(transaction: Connection, order: Order) -> None:
    """Put a mail into the outbox, which is a table here."""
    body = f"Your order {order['order_id']} is on its way: {order['quantity']} of {order['item']}."
    books.write(transaction, "INSERT INTO orders_mails VALUES (:order_id, :body)", **order, body=body)


MAILING: Final = Step("mail", "orders.mail", None, confirm)

if __name__ == "__main__":
    run(MAILING)
