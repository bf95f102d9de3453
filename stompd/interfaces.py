"""The places where somebody outside may plug in: a store, a way to find stores, a user, and what one may log in with.

Inside the project `typing.Protocol` serves; these are zope interfaces because third parties provide them.
"""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Attribute, Interface

from stompd.broker.message import Place, QueueId
from stompd.broker.units import DueKey, DuePage, ExpiredPage, ExpiryKey, Page, Recovered, UnitOfWork


class IMessageStore(Interface):
    """Keeps queues and messages, durably if it says so.

    Blocking by contract: every method is called on one writer thread, one call at a time, never on the reactor
    thread, and in the order in which the broker decided. No other process may write the same store meanwhile;
    `open` takes the lock that guarantees it.
    """

    description = Attribute("What `stompd` prints on start: where messages are kept, without any password. A `str`.")

    def open() -> Recovered:
        """Connect, take the lock, bring the schema up to date, and return what was committed.

        May be called again after it raised `StoreLocked` or `StoreUnavailable`.

        Messages that are not persistent and queues that are not durable are removed. If the store was not closed
        cleanly, messages up to their queue's delivery mark that have a delivery count of 0 get 1.

        Raises:
            StoreLocked: Another broker holds it.
            StoreUnavailable: It cannot be reached now.
            StoreUnusable: It never will be: wrong URL, refused login, or a schema newer than this program.
        """

    def apply(units: Sequence[UnitOfWork]) -> None:
        """Make the units durable, in order, in one database transaction; all of them or none.

        Applying units again that were applied before is harmless, since a reply can be lost.

        Raises:
            StoreUnavailable: Nothing is known to have been applied; the same call may succeed later.
            StoreRefused: Nothing was applied, and the same units will be refused again.
            StoreLost: Another broker has taken over; nothing was applied.
        """

    def load(queue_id: QueueId, after: Place | None, limit: int, limit_bytes: int, through_ms: int = 0) -> Page:
        """Return the next stretch of a queue: higher priorities first, then lower ids first.

        What has a due time is left out, also when it has passed: `load_due` brings that. Who only looks says up to
        when it may be.

        Args:
            queue_id: The queue; one that does not exist is empty.
            after: Where the last stretch ended; None starts at the head.
            limit: At most so many messages, at least 1.
            limit_bytes: Stop before the bodies together exceed this many bytes, but return at least one message.
            through_ms: Up to which due time, in epoch milliseconds, messages that have one are there too; 0 for none.

        Raises:
            StoreUnavailable: As in `apply`.
            StoreLost: As in `apply`.
        """

    def load_due(queue_id: QueueId, after: DueKey, through_ms: int, limit: int, limit_bytes: int) -> DuePage:
        """Return the next messages of a queue whose due time has come, in the order of `DueKey`.

        Args:
            queue_id: The queue; one that does not exist is empty.
            after: Where the last page ended; zeros start with the first.
            through_ms: Up to which due time, in epoch milliseconds.
            limit: As in `load`.
            limit_bytes: As in `load`.

        Raises:
            StoreUnavailable: As in `apply`.
            StoreLost: As in `apply`.
        """

    def find_expired(after: ExpiryKey, through_ms: int, limit: int) -> ExpiredPage:
        """Return which messages of all queues have expired, in the order of `ExpiryKey`.

        Args:
            after: Where the last page ended; zeros start with the first.
            through_ms: Up to which expiry, in epoch milliseconds.
            limit: At most so many.

        Raises:
            StoreUnavailable: As in `apply`.
            StoreLost: As in `apply`.
        """

    def measure(queue_id: QueueId) -> int:
        """Return how many bytes the bodies in a queue have together; 0 for a queue that does not exist.

        Raises:
            StoreUnavailable: As in `apply`.
            StoreLost: As in `apply`.
        """

    def close() -> None:
        """Record that the store was closed cleanly, release the lock and disconnect; harmless when not open."""


class IStoreFactory(Interface):
    """Makes stores for one URL scheme; found with `twisted.plugin`."""

    scheme = Attribute("The part of the URL before the colon, without driver: `sqlite`, `postgresql`. A `str`.")

    def make_store(url: str, *, upgrade: bool) -> IMessageStore:
        """Return a store for the URL, not yet opened.

        Args:
            url: With the scheme, as the operator wrote it.
            upgrade: Whether `open` may bring an older schema up to date; otherwise it is unusable.

        Raises:
            StoreUnusable: The URL is malformed, or a package it needs is not installed.
        """


class IStompUser(Interface):
    """Who is connected; the avatar that the `twisted.cred` portal gives out."""

    name = Attribute("The login, or `anonymous`. A `str`.")

    expires_at = Attribute("When the login ends unless it is renewed, in epoch seconds; None for never.")

    open_paths = Attribute("An empty `set[str]`; the driver notes there what needs no further question.")

    def may(action: str, destination: str) -> bool:
        """Whether the user may do something with a destination; answered from memory, and often.

        Args:
            action: `send` to it, `consume` or `browse` its messages, `create` it by one of these, or `manage` it.
            destination: One place by its canonical path, such as `/queue/orders`, or a path with wildcards, of which
                the answer must hold for everything that they stand for. Lists are asked for one by one.
        """


class IBearerToken(Interface):
    """Credentials: a token that says by itself who its bearer is."""

    token = Attribute("The token as it was sent. A `str`; it is a secret.")


class IPeerCertificate(Interface):
    """Credentials: the certificate that a client has shown in TLS, whose signature and validity were checked."""

    certificate = Attribute("The certificate in DER. A `bytes`.")
