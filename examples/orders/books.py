"""The books of the business: tables in a database of its own, which knows nothing of messages."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, create_engine, make_url, text

#: What there is to buy: its price in pence, and how many are in stock at first, of a thousand orders.
GOODS: Final = {"tea": (450, 3_000), "honey": (720, 3_000), "saffron": (5_900, 40)}

#: The primary key of the first table is all that keeps a step from being done twice: the others take any row.
_TABLES: Final = {
    "orders_done": "step VARCHAR(20), order_id INTEGER, times INTEGER NOT NULL, PRIMARY KEY (step, order_id)",
    "orders_payments": "order_id INTEGER NOT NULL, pence INTEGER NOT NULL",
    "orders_stock": "item VARCHAR(20) PRIMARY KEY, count INTEGER NOT NULL CHECK (count >= 0)",
    "orders_shipments": "order_id INTEGER NOT NULL, item VARCHAR(20) NOT NULL, quantity INTEGER NOT NULL",
    "orders_mails": "order_id INTEGER NOT NULL, body TEXT NOT NULL",
}


def open_books(url: str) -> Engine:
    """Return the database at a URL: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/DATABASE`."""
    address = make_url(url)
    if address.drivername == "postgresql":
        return create_engine(address.set(drivername="postgresql+psycopg"))
    return create_engine(address, connect_args={"timeout": 30})  # for as long another process may be writing


def begin_anew(books: Engine, orders: int) -> None:
    """Make the tables anew, and fill the stock for so many orders."""
    if books.dialect.name == "sqlite":
        with books.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # who writes does not keep others from reading
    with books.begin() as transaction:
        for table, columns in _TABLES.items():
            transaction.execute(text(f"DROP TABLE IF EXISTS {table}"))
            transaction.execute(text(f"CREATE TABLE {table} ({columns})"))
        for item in GOODS:
            write(transaction, "INSERT INTO orders_stock VALUES (:item, :count)", item=item, count=first(item, orders))


def first(item: str, orders: int) -> int:
    """Return how many there are of something before so many orders come."""
    return GOODS[item][1] * orders // 1_000


def write(transaction: Connection, statement: str, **values: object) -> int:
    """Execute a statement, and return how many rows it has written."""
    return transaction.execute(text(statement), values).rowcount


def claim(transaction: Connection, step: str, order_id: int) -> bool:
    """Note that a step is done for an order; return False if it was done before.

    It is the first statement of the transaction in which the step does its work, so that both are there or neither.
    Two processes with the same order wait for each other here. The count is for the balance only; without it,
    `ON CONFLICT DO NOTHING` would do.
    """
    note = (
        "INSERT INTO orders_done VALUES (:step, :order_id, 1) "
        "ON CONFLICT (step, order_id) DO UPDATE SET times = orders_done.times + 1 RETURNING times"
    )
    return bool(transaction.execute(text(note), {"step": step, "order_id": order_id}).scalar_one() == 1)
