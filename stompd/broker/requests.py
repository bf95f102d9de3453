"""What a session may ask of the core: frames without their wire form, checked as far as one frame can be.

The session builds these; the core answers with effects. Ids are texts chosen by the client unless they say otherwise.
`receipt` is the value of the frame's `receipt` header, or None when none was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, TypeAlias, final

from stompd.broker.destination import Destination
from stompd.broker.message import Message
from stompd.selector.evaluate import Selector


class AckMode(Enum):
    """How deliveries of a subscription are settled; the value is that of the `ack` header."""

    #: A delivery is settled once the transport has taken it.
    AUTO = "auto"
    #: An acknowledgement settles the delivery it names and all earlier ones of that subscription.
    CLIENT = "client"
    #: An acknowledgement settles the delivery it names and no other.
    INDIVIDUAL = "client-individual"


class DeliveryToken(NamedTuple):
    """A delivery named by the numbers that its session gave it (the `ack` header of STOMP 1.2)."""

    subscription_number: int
    delivery_number: int


class DeliveredMessage(NamedTuple):
    """A delivery named by its message (`message-id` of STOMP 1.0 and 1.1).

    `subscription_id` is None when the frame did not name one, which STOMP 1.0 allows.
    """

    message_id: str
    subscription_id: str | None


DeliveryName: TypeAlias = DeliveryToken | DeliveredMessage


class Scope(Enum):
    """Among whom the name of a subscription is unique."""

    #: The connections with the same client id, or without one.
    CLIENT = "client"
    #: All who name the same topic.
    GROUP = "group"
    #: The connections with the same client id; without one, those of the same login that name the same topic.
    LOGIN = "login"


class Naming(NamedTuple):
    """How a subscription of a topic is named, so that it can be found again or shared."""

    name: str
    scope: Scope = Scope.CLIENT
    #: Whether it is kept while nobody is connected.
    is_durable: bool = True
    #: Whether several may be connected to it, each message going to one of them.
    is_shared: bool = False


class Origin(NamedTuple):
    """Where in the past of a topic a subscription begins."""

    #: As the client asked for it, for errors.
    header: str
    #: The first message that it may get.
    message_id: int = 0
    #: Only so many of the newest messages, if not 0.
    newest: int = 0


class Inspect(NamedTuple):
    """Lists what is scheduled, or cancels it."""

    removes: bool
    #: Only the message with this id; 0 for any.
    message_id: int = 0
    #: Only what is due within these bounds, in epoch milliseconds.
    start_ms: int = 0
    end_ms: int = 2**63 - 1
    #: Where each message goes that is found, and then one that says how many there were.
    reply_to: Destination | None = None

    def means(self, message_id: int, due_ms: int) -> bool:
        """Whether a message is meant."""
        return self.message_id in (0, message_id) and self.start_ms <= due_ms <= self.end_ms


class Rejection(NamedTuple):
    """What is to become of a delivery that its client rejects."""

    #: Whether it comes again; otherwise it goes to the dead-letter queue at once.
    requeue: bool = True
    #: After how many milliseconds it comes again; None leaves that to the queue.
    delay_ms: int | None = None
    #: Whether nobody has seen it: then it comes again at once and is not counted.
    is_undelivered: bool = False


#: What a NACK without further headers wants.
PLAIN = Rejection()


class Terms(NamedTuple):
    """How a subscription takes from its queue, beside others that do."""

    #: Whether it only looks, and takes nothing.
    is_browser: bool = False
    #: Whether one that only looks goes on with what arrives.
    follows: bool = False
    #: Whether the others get nothing while it is there.
    is_exclusive: bool = False
    #: Which goes first while it has credit: the highest.
    priority: int = 0
    #: With so many bytes of bodies outstanding it wants nothing more; 0 wants one message at a time.
    window_bytes: int | None = None

    @property
    def is_ranked(self) -> bool:
        """Whether it does not simply take turns."""
        return self.is_exclusive or self.priority != 0


#: What a SUBSCRIBE without further headers wants.
ORDINARY = Terms()


@final
class Send:
    """Put a message to a destination, at once or with a transaction.

    `reply_to` is one of the session's temporary destinations, where it awaits replies. One that is mandatory is refused
    when nobody would get it. With `inspect`, it is a question about the schedule, and nothing is sent. `is_plain` is
    the session's note that no header of the frame needed a closer look; nobody else reads it.
    """

    __slots__ = (
        "destination",
        "inspect",
        "is_mandatory",
        "is_plain",
        "message",
        "receipt",
        "reply_to",
        "transaction",
    )

    def __init__(
        self,
        destination: Destination,
        message: Message,
        transaction: str | None = None,
        receipt: str | None = None,
        *,
        reply_to: Destination | None = None,
        is_mandatory: bool = False,
    ) -> None:
        self.destination = destination
        self.message = message
        self.transaction = transaction
        self.receipt = receipt
        self.reply_to = reply_to
        self.is_mandatory = is_mandatory
        self.is_plain = True
        self.inspect: Inspect | None = None


@final
class Subscribe:
    """Begin deliveries from a destination.

    `subscription_id` is unique within the session; `is_named` is False for a STOMP 1.0 subscription without an id,
    whose messages carry no `subscription` header. `prefetch` is None where the client left it to the broker, and 0
    where it asked for as much as it can get. Without a `selector`, it gets every message; with `no_local`, none that
    the session itself sends. A topic's subscription may have a `naming`, or an `origin` in the past. The `terms` say
    how it shares its queue.
    """

    __slots__ = (
        "ack_mode",
        "destination",
        "is_named",
        "naming",
        "no_local",
        "origin",
        "prefetch",
        "receipt",
        "selector",
        "subscription_id",
        "terms",
    )

    def __init__(
        self,
        destination: Destination,
        subscription_id: str,
        ack_mode: AckMode = AckMode.AUTO,
        *,
        prefetch: int | None = None,
        is_named: bool = True,
        receipt: str | None = None,
        selector: Selector | None = None,
        naming: Naming | None = None,
        no_local: bool = False,
        origin: Origin | None = None,
        terms: Terms = ORDINARY,
    ) -> None:
        self.destination = destination
        self.origin = origin
        self.subscription_id = subscription_id
        self.ack_mode = ack_mode
        self.prefetch = prefetch
        self.selector = selector
        self.naming = naming
        self.no_local = no_local
        self.terms = terms
        self.is_named = is_named
        self.receipt = receipt


@final
class Unsubscribe:
    """End a subscription; what was not acknowledged returns to its queue.

    With a `naming`, a durable subscription is deleted with all its messages, whether or not it is the one of this id.
    `destination` is the topic, where the client named it. `deleted` is a temporary destination that is to be deleted;
    then there need not be such a subscription. `is_undelivered` says that nobody has seen what is outstanding, so that
    it is not counted.
    """

    __slots__ = ("deleted", "destination", "is_undelivered", "naming", "receipt", "subscription_id")

    def __init__(
        self,
        subscription_id: str,
        receipt: str | None = None,
        *,
        naming: Naming | None = None,
        destination: Destination | None = None,
        deleted: Destination | None = None,
        is_undelivered: bool = False,
    ) -> None:
        self.subscription_id = subscription_id
        self.receipt = receipt
        self.naming = naming
        self.destination = destination
        self.deleted = deleted
        self.is_undelivered = is_undelivered


@final
class Acknowledge:
    """Settle a delivery (and, in `client` mode, those before it), at once or with a transaction."""

    __slots__ = ("name", "receipt", "transaction")

    def __init__(self, name: DeliveryName, transaction: str | None = None, receipt: str | None = None) -> None:
        self.name = name
        self.transaction = transaction
        self.receipt = receipt


@final
class Reject:
    """Give a delivery back (and, in `client` mode, those before it), at once or with a transaction."""

    __slots__ = ("name", "receipt", "rejection", "transaction")

    def __init__(
        self,
        name: DeliveryName,
        transaction: str | None = None,
        receipt: str | None = None,
        rejection: Rejection = PLAIN,
    ) -> None:
        self.name = name
        self.rejection = rejection
        self.transaction = transaction
        self.receipt = receipt


@final
class Begin:
    """Open a transaction."""

    __slots__ = ("receipt", "transaction")

    def __init__(self, transaction: str, receipt: str | None = None) -> None:
        self.transaction = transaction
        self.receipt = receipt


@final
class Commit:
    """Make everything in a transaction take effect, as one unit."""

    __slots__ = ("receipt", "transaction")

    def __init__(self, transaction: str, receipt: str | None = None) -> None:
        self.transaction = transaction
        self.receipt = receipt


@final
class Abort:
    """Drop everything in a transaction; its deliveries stay with the client, not settled."""

    __slots__ = ("receipt", "transaction")

    def __init__(self, transaction: str, receipt: str | None = None) -> None:
        self.transaction = transaction
        self.receipt = receipt


@final
class Renew:
    """Nothing but the receipt for a login that was renewed, in its turn and with these headers."""

    __slots__ = ("headers", "receipt")

    def __init__(self, receipt: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.receipt = receipt
        self.headers: Mapping[str, str] = headers or {}


@final
class Disconnect:
    """End the session once everything before it is durable."""

    __slots__ = ("receipt",)

    def __init__(self, receipt: str | None = None) -> None:
        self.receipt = receipt


Request: TypeAlias = Send | Subscribe | Unsubscribe | Acknowledge | Reject | Begin | Commit | Abort | Renew | Disconnect
