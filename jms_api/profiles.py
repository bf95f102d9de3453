"""Brokers: what each of them can do, and how it spells what they do differently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, final

from jms_api.destinations import Destination, Queue, TemporaryQueue, TemporaryTopic, Topic
from jms_api.exceptions import IllegalArgumentException


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the broker of a connection can do; what it cannot raises UnsupportedOperationException.

    Attributes:
        name: The profile's name, as in a URL's `profile=`.
        has_selectors: Consumers receive what their selector selects.
        has_typed_selectors: Selectors see properties in the types they were set with, and our message ids.
        has_browser: Queues can be browsed.
        has_durable: Durable subscriptions.
        has_shared: Shared subscriptions, durable or not, each known by its name.
        has_no_local: The broker keeps a connection's own messages from its subscriptions.
        has_delay: Messages can be sent with a delivery delay.
        has_temporary: Temporary destinations that only their connection receives from.
        deletes_temporary: Such a destination can be deleted before its connection ends.
        has_priority: Higher priorities are delivered earlier, on every queue.
        has_delivery_count: JMSXDeliveryCount is exact.
        has_atomic_transactions: Acknowledgements within a transaction take effect with its messages, or not at all.
    """

    name: str
    has_selectors: bool = False
    has_typed_selectors: bool = False
    has_browser: bool = False
    has_durable: bool = False
    has_shared: bool = False
    has_no_local: bool = False
    has_delay: bool = False
    has_temporary: bool = False
    deletes_temporary: bool = False
    has_priority: bool = False
    has_delivery_count: bool = False
    has_atomic_transactions: bool = True


#: How most brokers spell destinations.
_SLASHED: Final[Mapping[type[Destination], str]] = {
    TemporaryQueue: "/temp-queue/",
    TemporaryTopic: "/temp-topic/",
    Queue: "/queue/",
    Topic: "/topic/",
}


@final
@dataclass(frozen=True, slots=True)
class Profile(Capabilities):
    """How to speak to a broker. Immutable.

    Attributes:
        nack_returns: NACK gives a message back; elsewhere it discards or dead-letters.
        takes_undelivered: NACK with `undelivered:true` gives back without counting a delivery.
        acknowledges_up_to: In the mode `client` an ACK settles all earlier deliveries of its subscription alone.
        buries: NACK with `requeue:false` makes a dead letter.
        retains_unacknowledged: UNSUBSCRIBE with `retain-unacked:true` leaves deliveries acknowledgeable.
        soft_errors: ERROR about a frame leaves the connection open, though nobody asked for it.
        takes_soft_errors: CONNECT with `jms-soft-errors:true` makes it so.
        counts_octets: A body with `content-length` is taken for octets, so texts go without.
        is_untyped_text: Foreign bodies without a content type are texts if they read as such, whatever their length
            header; elsewhere `content-length` decides.
        has_relative_expiry: `expiration` in milliseconds from now, in place of `expires`.
        delay_header: For the delivery delay, in milliseconds.
        prefetch_header: On SUBSCRIBE, how many deliveries may be outstanding.
        no_local_header: On SUBSCRIBE.
        credits_held: An ACK held by a transaction makes room for the next delivery before COMMIT.
        durable_headers: On SUBSCRIBE and UNSUBSCRIBE, for the name of a durable subscription.
        durable_marks: Headers beside the name. Where there are some, a durable subscription is a queue that any client
            may take by its name, so the client id becomes a part of that, and who deletes it has to subscribe first.
        prefixes: How destinations are spelled.
        kind_headers: Whether `destination-type` and `subscription-type` tell queues from topics.
        quotes_slashes: Slashes and percent signs in names are written %2F and %25.
    """

    nack_returns: bool = False
    takes_undelivered: bool = False
    acknowledges_up_to: bool = False
    buries: bool = False
    retains_unacknowledged: bool = False
    soft_errors: bool = False
    takes_soft_errors: bool = False
    counts_octets: bool = False
    is_untyped_text: bool = True
    has_relative_expiry: bool = False
    delay_header: str = "AMQ_SCHEDULED_DELAY"
    prefetch_header: str = "prefetch-count"
    no_local_header: str = "no-local"
    credits_held: bool = False
    durable_headers: tuple[str, ...] = ("durable-subscription-name",)
    durable_marks: Mapping[str, str] = field(default_factory=dict, hash=False)
    prefixes: Mapping[type[Destination], str] = field(default_factory=lambda: _SLASHED, hash=False)
    kind_headers: bool = False
    quotes_slashes: bool = False


STOMPD: Final = Profile(
    "stompd",
    has_selectors=True,
    has_typed_selectors=True,
    has_browser=True,
    has_durable=True,
    has_shared=True,
    has_no_local=True,
    has_delay=True,
    has_temporary=True,
    deletes_temporary=True,
    has_priority=True,
    has_delivery_count=True,
    nack_returns=True,
    acknowledges_up_to=True,
    buries=True,
    credits_held=True,
    takes_undelivered=True,
    retains_unacknowledged=True,
    takes_soft_errors=True,
)

ACTIVEMQ: Final = Profile(
    "activemq",
    has_selectors=True,
    has_browser=True,
    has_durable=True,
    has_no_local=True,
    has_temporary=True,
    has_priority=True,
    soft_errors=True,
    counts_octets=True,
    is_untyped_text=False,
    prefetch_header="activemq.prefetchSize",
    no_local_header="activemq.noLocal",
    durable_headers=("activemq.subscriptionName",),
)

#: One that was started with its scheduler, which it does not tell; without, it delivers a delayed message at once.
ACTIVEMQ_SCHEDULER: Final = replace(ACTIVEMQ, name="activemq-scheduler", has_delay=True)

ARTEMIS: Final = Profile(
    "artemis",
    has_selectors=True,
    has_durable=True,
    has_no_local=True,
    has_delay=True,
    has_priority=True,
    # An ACK takes effect at once, whatever transaction it names.
    has_atomic_transactions=False,
    soft_errors=True,
    counts_octets=True,
    is_untyped_text=False,
    # In octets; 0 is one message at a time.
    prefetch_header="consumer-window-size",
    prefixes=dict.fromkeys(_SLASHED, ""),
    kind_headers=True,
)

RABBITMQ: Final = Profile(
    "rabbitmq",
    has_durable=True,
    nack_returns=True,
    has_relative_expiry=True,
    durable_headers=("x-queue-name",),
    # It complains of deliveries that cross an UNSUBSCRIBE, and goes on.
    soft_errors=True,
    durable_marks={"durable": "true", "auto-delete": "false"},
    quotes_slashes=True,
)

UNKNOWN: Final = Profile("unknown")

PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile for profile in (STOMPD, ACTIVEMQ, ACTIVEMQ_SCHEDULER, ARTEMIS, RABBITMQ, UNKNOWN)
}

#: By how a `server` header begins, in lower case; the longer name first.
_SERVERS: Final = {
    "activemq-artemis": ARTEMIS,
    "apache-activemq-artemis": ARTEMIS,
    "activemq": ACTIVEMQ,
    "apache-activemq": ACTIVEMQ,
    "rabbitmq": RABBITMQ,
    "stompd": STOMPD,
}


def profile_of(server: str | None) -> Profile:
    """Return the profile of the broker whose CONNECTED frame has this `server` header, or none."""
    product = re.split(r"[/ ]", (server or "").lower(), maxsplit=1)[0]
    return _SERVERS.get(product, UNKNOWN)


def profile_named(name: str) -> Profile:
    """Return the profile of a name.

    Raises:
        IllegalArgumentException: There is none.
    """
    try:
        return PROFILES[name.lower()]
    except KeyError:
        raise IllegalArgumentException(f"There is no profile {name!r}; there are {', '.join(PROFILES)}.") from None
