"""Access: which permissions a request needs, and the ERROR for who lacks one."""

from __future__ import annotations

from typing import final

from stompd.broker.broker import Broker
from stompd.broker.destination import Destination, Kind, parse_target
from stompd.broker.effects import SessionId
from stompd.broker.requests import Inspect, Request, Send, Subscribe, Unsubscribe
from stompd.errors import AccessDenied, InvalidDestination
from stompd.interfaces import IStompUser

#: Paths noted for one user; a user who sends to more of them asks again.
_MOST_OPEN_PATHS = 1_024


@final
class Access:
    """Asks users whether they may."""

    def __init__(self, broker: Broker) -> None:
        """Ask; the core tells which queues are there, so that they need not be created."""
        self._broker = broker

    def check(self, session_id: SessionId, user: IStompUser, request: Request) -> None:
        """Make sure that a user may make a request.

        Raises:
            AccessDenied: He may not.
        """
        if isinstance(request, Send):
            self._check_send(session_id, user, request)
        elif isinstance(request, Subscribe):
            action = "browse" if request.terms.is_browser else "consume"
            for place in request.destination.places:
                _require(user, action, place)
                # Wildcards stand for the queues that there are.
                is_created = place.kind is Kind.QUEUE and not place.words
                if is_created or (request.naming is not None and request.naming.is_durable):
                    self._check_creation(session_id, user, place)
        elif isinstance(request, Unsubscribe) and request.naming is not None and request.destination is not None:
            for place in request.destination.places:
                _require(user, "consume", place)

    def _check_send(self, session_id: SessionId, user: IStompUser, request: Send) -> None:
        if request.inspect is not None:
            _check_inspection(user, request.destination, request.inspect)
            return
        is_open = True
        for place in request.destination.places:
            _require(user, "send", place)
            if place.kind is Kind.QUEUE:
                is_open = self._check_creation(session_id, user, place) and is_open
        if is_open:
            if len(user.open_paths) >= _MOST_OPEN_PATHS:
                user.open_paths.clear()
            user.open_paths.add(request.destination.path)
        reply_to = request.message.headers.get("reply-to")
        if reply_to is not None:
            _check_reply_to(user, reply_to)

    def _check_creation(self, session_id: SessionId, user: IStompUser, place: Destination) -> bool:
        """Return whether the user may create the place; whoever may not can use one that is there."""
        if user.may("create", place.path):
            return True
        if not self._broker.has_queue(session_id, place):
            _require(user, "create", place)
        return False


def _check_inspection(user: IStompUser, place: Destination, inspect: Inspect) -> None:
    """Make sure that a user may see and cancel what everybody has scheduled, and have the answers where he wants."""
    _require(user, "manage", place)
    if inspect.reply_to is not None:
        for reply_place in inspect.reply_to.places:
            _require(user, "send", reply_place)


def _check_reply_to(user: IStompUser, text: str) -> None:
    """Make sure that nobody lets others send where he has no business himself."""
    try:
        places = parse_target(text).places
    except InvalidDestination:
        return  # nothing can be sent there
    for place in places:
        if not (user.may("consume", place.path) or user.may("send", place.path)):
            raise AccessDenied(
                f"User {user.name} has no permission to consume from or send to {place.path}, which reply-to names."
                " Name a destination of your own."
            )


def _require(user: IStompUser, action: str, place: Destination) -> None:
    if not user.may(action, place.path):
        raise AccessDenied(f"User {user.name} has no permission to {action} on {place.path}.")
