"""How fast the core decides, with a store that applies every unit at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, final

from stompd.broker.broker import Broker
from stompd.broker.delivery import Delivery
from stompd.broker.destination import parse_destination
from stompd.broker.effects import Confirm, Refuse, SessionId
from stompd.broker.limits import Limits
from stompd.broker.message import Message
from stompd.broker.requests import AckMode, Acknowledge, Begin, Commit, DeliveryToken, Request, Send, Subscribe
from stompd.broker.units import Recovered, UnitOfWork
from tests.bench.figures import Figure, Measure, Stopwatch, WrongResult

_NOW: Final = 1_700_000_000.0
_PRODUCER: Final = SessionId(1)

#: Messages of one turn: about what a busy link receives at a time.
_TURN: Final = 100

_TRANSACTION: Final = 10

_BODIES: Final = [b"%04d" % number + b"x" * 252 for number in range(_TURN)]


@final
class _Core:
    """A broker with one producer and some consumers, whose units are applied as soon as they are handed out."""

    def __init__(self, destination: str, consumers: int, mode: AckMode) -> None:
        self.broker = Broker(Limits(), Recovered([], 0))
        self.destination = parse_destination(destination)
        self.consumers = [SessionId(2 + number) for number in range(consumers)]
        self.deliveries: list[Delivery] = []
        self.confirmed = 0
        self.broker.open_session(_PRODUCER)
        for session in self.consumers:
            self.broker.open_session(session)
            self.submit(session, [Subscribe(self.destination, "s", mode, prefetch=0)])
        self.apply()

    def submit(self, session: SessionId, requests: Sequence[Request]) -> None:
        """Ask for something."""
        for request in requests:
            self.broker.submit(session, request, _NOW)

    def apply(self) -> None:
        """Apply units until there are no more, and keep what clients would see."""
        has_units = True
        while has_units:
            has_units = False
            for effect in self.broker.take_effects(_NOW):
                if isinstance(effect, UnitOfWork):
                    self.broker.unit_applied(effect.serial)
                    has_units = True
                elif isinstance(effect, Delivery):
                    self.deliveries.append(effect)
                elif isinstance(effect, Confirm):
                    self.confirmed += 1
                elif isinstance(effect, Refuse):
                    raise WrongResult(f"The core refused a request: {effect.error.detail}")

    def sends(self) -> list[Request]:
        """Return one turn of SENDs with receipts."""
        return [
            Send(self.destination, Message(self.destination.path, {}, body), None, str(number))
            for number, body in enumerate(_BODIES)
        ]

    def transactions(self) -> list[Request]:
        """Return the same in transactions."""
        requests: list[Request] = []
        for first in range(0, _TURN, _TRANSACTION):
            messages = [Message(self.destination.path, {}, body) for body in _BODIES[first : first + _TRANSACTION]]
            requests.append(Begin("t"))
            requests += [Send(self.destination, message, "t") for message in messages]
            requests.append(Commit("t", str(first)))
        return requests


def core(seconds: float) -> Iterator[Measure]:
    """Yield measurements of the core alone."""
    yield partial(_queue, "core queue", _Core.sends, "SEND, unit, delivery, ACK, unit; no I/O", seconds)
    yield partial(_queue, "core transactions", _Core.transactions, f"the same, {_TRANSACTION} SENDs a unit", seconds)
    yield partial(_topic, seconds)


def _queue(name: str, make: Callable[[_Core], list[Request]], meaning: str, seconds: float) -> Iterator[Figure]:
    desk = _Core("/queue/bench", 1, AckMode.INDIVIDUAL)
    watch = Stopwatch()
    count = 0
    while watch.seconds < seconds:
        requests = make(desk)
        desk.deliveries, desk.confirmed = [], 0
        with watch:
            desk.submit(_PRODUCER, requests)
            desk.apply()
        _check(name, desk, requests)
        acks = [Acknowledge(_token(effect)) for effect in desk.deliveries]
        with watch:
            desk.submit(desk.consumers[0], acks)
            desk.apply()
        count += len(acks)
    if left := desk.broker.depth(desk.destination):
        raise WrongResult(f"{name}: {left} messages are left in the queue, although all were acknowledged.")
    yield Figure(name, count / watch.seconds, "messages/s", meaning)


def _topic(seconds: float) -> Iterator[Figure]:
    desk = _Core("/topic/bench", 5, AckMode.AUTO)
    watch = Stopwatch()
    count = 0
    while watch.seconds < seconds:
        requests = desk.sends()
        desk.deliveries, desk.confirmed = [], 0
        with watch:
            desk.submit(_PRODUCER, requests)
            desk.apply()
            for session in desk.consumers:
                desk.broker.settle_written(session)
            desk.apply()
        _check("core topic", desk, requests)
        count += len(desk.deliveries)
    yield Figure("core topic", count / watch.seconds, "deliveries/s", "one SEND to five automatic subscriptions")


def _check(name: str, desk: _Core, requests: Sequence[Request]) -> None:
    expected = sum(request.receipt is not None for request in requests)
    if desk.confirmed != expected:
        raise WrongResult(f"{name}: {desk.confirmed} of {expected} receipts were confirmed.")
    for session in desk.consumers:
        bodies = [effect.entry.message.body for effect in desk.deliveries if effect.session_id == session]
        if bodies != _BODIES:
            raise WrongResult(f"{name}: session {session} did not get each message once and in order.")


def _token(effect: Delivery) -> DeliveryToken:
    return DeliveryToken(effect.subscription.number, effect.number)
