"""Temporary queues and topics: of one session, in memory only, and known to others by a name that nobody guesses."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, final

from stompd.broker.destination import Destination, Kind
from stompd.broker.identity import IdSource
from stompd.broker.limits import Limits
from stompd.broker.message import Message, QueueId
from stompd.broker.requests import AckMode, Inspect, Subscribe
from stompd.errors import InvalidDestination, LimitExceeded, SlowConsumer

if TYPE_CHECKING:
    from stompd.broker.queue import Queue
    from stompd.broker.session import Session
    from stompd.broker.subscribing import Subscribing
    from stompd.broker.subscription import Subscription

_PUBLIC_KINDS = {Kind.TEMPORARY_QUEUE: Kind.REPLY_QUEUE, Kind.TEMPORARY_TOPIC: Kind.REPLY_TOPIC}

#: Bytes of the hash in a public name; it is written with twice as many characters.
_NAME_BYTES = 16


@final
class Temporary:
    """One temporary queue or topic."""

    __slots__ = ("implicit", "is_used", "own_path", "public", "queue")

    def __init__(self, own_path: str, public: Destination, queue: Queue | None) -> None:
        """Describe one that nobody subscribes to yet.

        Args:
            own_path: How its owner names it.
            public: Where it is, by the name that the others know.
            queue: None if it is a topic.
        """
        self.own_path = own_path
        self.public = public
        self.queue = queue
        #: Whether there has been a subscription; if not, awaiting replies there begins one.
        self.is_used = False
        #: The subscription that began so.
        self.implicit: Subscription | None = None

    @property
    def has_overflowed(self) -> bool:
        """Whether messages had to be dropped."""
        return self.queue is not None and self.queue.has_overflowed

    def explain_overflow(self) -> SlowConsumer:
        """Return the error for the session that leaves too much in it."""
        return SlowConsumer(
            f"More messages wait in {self.own_path} than allowed (settings limits.topic_backlog and"
            " limits.topic_backlog_bytes). Subscribe to it, and read and acknowledge faster."
        )


@final
class Temporaries:
    """The temporary destinations of all sessions: who owns them, and how their names are read."""

    __slots__ = ("_ids", "_limits", "_public", "_subscribing")

    def __init__(self, limits: Limits, subscribing: Subscribing, ids: IdSource) -> None:
        self._limits = limits
        self._subscribing = subscribing
        self._ids = ids
        self._public: dict[tuple[str, str], Session] = {}  # whose they are, by their virtual host and public path

    def resolve(self, session: Session, destination: Destination, now: float) -> Destination:
        """Return where a temporary destination is; an own one that is not there is created.

        Raises:
            InvalidDestination: It is a public name, and there is none, or no more.
            LimitExceeded: The session has as many as allowed.
        """
        if destination.parts:
            # It may be there under its own name and the public one.
            parts = dict.fromkeys(self.resolve(session, part, now) for part in destination.parts)
            return destination._replace(parts=tuple(parts))
        if destination.kind.is_own:
            return self._own(session, destination, now).public
        is_public = destination.kind in _PUBLIC_KINDS.values()
        if is_public and self._owner(session, destination) is None:
            raise InvalidDestination(
                f"{destination.path} does not exist. A temporary destination ends with the connection that created it."
            )
        return destination

    def resolve_replies(self, session: Session, inspect: Inspect, now: float) -> Inspect:
        """Return a question about the schedule that is answered where a temporary destination is; see `resolve`."""
        if inspect.reply_to is None or inspect.reply_to.is_plain:
            return inspect
        return inspect._replace(reply_to=self.resolve(session, inspect.reply_to, now))

    def subscribe(self, session: Session, request: Subscribe, now: float) -> None:
        """Begin a subscription of anything; it takes the place of one that awaiting replies has begun there.

        Raises:
            InvalidDestination: It is another session's temporary destination, or none.
            LimitExceeded: The session has as many temporary destinations as allowed.
            StompError: As for any subscription.
        """
        if request.destination.is_plain:
            self._subscribing.subscribe(session, request, now)
            return
        request.destination = self.resolve(session, request.destination, now)
        owners = [(place, self._owner(session, place)) for place in request.destination.places]
        used = [self._admit(session, place, owner) for place, owner in owners if owner is not None]
        implicit = [temporary.implicit for temporary in used]
        replaced = [subscription for subscription in session.subscriptions.values() if subscription in implicit]
        self._subscribing.subscribe(session, request, now, replaced)
        for temporary in used:
            temporary.is_used, temporary.implicit = True, None

    def _owner(self, session: Session, public: Destination) -> Session | None:
        """Return whose temporary destination that is for a session; None if it is none on its virtual host."""
        return self._public.get((session.catalogue.host, public.path))

    def _admit(self, session: Session, public: Destination, owner: Session) -> Temporary:
        if owner is not session:
            # JMS 3.1, 6.2.2: only the connection that created it may consume from it.
            raise InvalidDestination(
                f"{public.path} belongs to another connection. Only that one may subscribe to it; anybody may send."
            )
        return next(found for found in session.temporaries.values() if found.public == public)

    def expect_replies(self, session: Session, message: Message, reply_to: Destination, now: float) -> None:
        """Show receivers of the message where to reply, and subscribe there unless the session has done so itself.

        Raises:
            StompError: As for any subscription.
        """
        temporary = self._own(session, reply_to, now)
        message.headers = {**message.headers, "reply-to": temporary.public.path}
        if temporary.is_used:
            return
        # As RabbitMQ does: the replies come at once, under a subscription that is named like the destination.
        implicit_id = temporary.own_path
        self._subscribing.subscribe(session, Subscribe(temporary.public, implicit_id, AckMode.AUTO), now)
        temporary.is_used, temporary.implicit = True, session.subscriptions[implicit_id]

    def delete(self, session: Session, subscription_id: str, destination: Destination) -> None:
        """Delete one of the session's temporary destinations, and end the subscription if there is one of that id.

        Raises:
            InvalidDestination: The session has no such destination, or another subscription takes from it.
        """
        temporary = session.temporaries.get(destination.path)
        if temporary is None:
            raise InvalidDestination(f"This connection has no {destination.path} that could be deleted.")
        public = temporary.public
        subscriptions = session.subscriptions.values()
        users = [found.subscription_id for found in subscriptions if public in found.destination.places]
        if any(user != subscription_id for user in users):
            # JMS 3.1, TemporaryQueue.delete: not while somebody consumes from it.
            raise InvalidDestination(
                f"{destination.path} cannot be deleted while there are subscriptions to it: {', '.join(users)[:200]}."
                " UNSUBSCRIBE them first."
            )
        subscription = session.subscriptions.get(subscription_id)
        if subscription is not None:
            self._subscribing.end(session, subscription)
        del session.temporaries[destination.path]
        self._remove(session, temporary)

    def end(self, session: Session) -> None:
        """Delete everything of a session whose subscriptions have ended."""
        for temporary in session.temporaries.values():
            self._remove(session, temporary)
        session.temporaries.clear()

    def _own(self, session: Session, destination: Destination, now: float) -> Temporary:
        temporary = session.temporaries.get(destination.path)
        if temporary is not None:
            return temporary
        if len(session.temporaries) >= self._limits.temporary_destinations:
            raise LimitExceeded(
                f"This connection has {len(session.temporaries)} temporary destinations, which is the limit"
                f" (setting limits.temporary_destinations), so {destination.path} cannot be created."
            )
        number = self._ids.next(now)
        # Whoever knows some of a session's names must not be able to tell the others, nor those to come.
        name = blake2b(str(number).encode(), key=session.token, digest_size=_NAME_BYTES).hexdigest()
        kind = _PUBLIC_KINDS[destination.kind]
        public = Destination(kind, name, f"/{kind.value}/{name}", is_plain=False)
        queue = session.catalogue.add_temporary(public, QueueId(number)) if kind is Kind.REPLY_QUEUE else None
        temporary = session.temporaries[destination.path] = Temporary(destination.path, public, queue)
        self._public[session.catalogue.host, public.path] = session
        return temporary

    def _remove(self, session: Session, temporary: Temporary) -> None:
        del self._public[session.catalogue.host, temporary.public.path]
        if temporary.queue is not None:
            session.catalogue.remove_temporary(temporary.public)
