"""The shop: `PUT /orders/NUMBER` with JSON, answered with 202 when the broker has the order on its disk.

A customer who gets no answer repeats the request. The order may be there twice then, which the workers do not mind.
"""

from __future__ import annotations

import json
import sys
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import react
from twisted.web.http import ACCEPTED, BAD_REQUEST, SERVICE_UNAVAILABLE, Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from examples.orders.worker import Order
from jms_api import JMSError
from jms_api.tx import ConnectionFactory, JMSProducer

_FIELDS: Final = {"item": str, "quantity": int, "card": str}


class Orders(Resource):
    """Takes orders in."""

    isLeaf = True

    def __init__(self, producer: JMSProducer) -> None:
        """Take orders in, and send them with a producer of a session without transactions."""
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted leaves it bare
        self._producer = producer

    def render_PUT(self, request: Request) -> bytes | int:
        """Send an order to the first step."""
        assert request.content is not None
        try:
            order = read_order(request.path, request.content.read())
        except ValueError as error:
            request.setResponseCode(BAD_REQUEST)
            return f"{error}\n".encode()
        Deferred.fromCoroutine(self._take(request, order))
        return NOT_DONE_YET

    async def _take(self, request: Request, order: Order) -> None:
        left = request.notifyFinish().addErrback(lambda _: None)
        try:
            await self._producer.send("queue:orders.payment", order)  # persistent: the broker has it on its disk now
            request.setResponseCode(ACCEPTED)
        except JMSError:
            request.setResponseCode(SERVICE_UNAVAILABLE)
        if not left.called:
            request.finish()


def read_order(path: bytes, body: bytes) -> Order:
    """Return the order that a request describes.

    Raises:
        ValueError: It describes none; the text says what is wrong, for the customer.
    """
    number = path.removeprefix(b"/orders/")
    if not (number.isdigit() and len(number) < 10):
        raise ValueError("an order is PUT to /orders/NUMBER")
    told = json.loads(body)
    if not isinstance(told, dict) or {name: type(value) for name, value in told.items()} != _FIELDS:
        raise ValueError("an order is a JSON object with item, quantity (a number) and card")
    if not 0 < told["quantity"] < 1_000:
        raise ValueError("the quantity is from 1 to 999")
    return {"order_id": int(number), **told}


async def open_shop(reactor: object, broker: str, address: str) -> None:
    """Connect to the broker, and listen at `HOST:PORT` until the process ends."""
    host, _, port = address.rpartition(":")
    context = await ConnectionFactory(broker).create_context()
    site = Site(Orders(context.create_producer()))
    await serverFromString(reactor, f"tcp:{port}:interface={host}").listen(site)
    await Deferred()  # never


if __name__ == "__main__":
    react(open_shop, sys.argv[1:])
