"""Which headers are fields of a message, which are properties, and what properties are called on the wire."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

#: Says which properties are no Strings: `age=I,ok=Z`. Its presence alone says that the sender knew about types.
TYPES_HEADER: Final = "jms-prop-types"

#: Stands before the name of a property that is called like a header with a meaning.
RENAMED_PREFIX: Final = "jms-p-"

#: Stands before everything that only JMS knows. No property can be called so, because of the hyphen.
OUR_PREFIX: Final = "jms-"

#: Headers of a MESSAGE frame that are no properties: STOMP's own, those that header fields of JMS travel in, and those
#: that brokers put there.
FIELD_HEADERS: Final = frozenset(
    {
        *("destination", "message-id", "subscription", "ack", "receipt", "transaction", "content-type"),
        *("content-length", "persistent", "priority", "expires", "expiration", "timestamp", "sender-timestamp"),
        *("redelivered", "correlation-id", "reply-to", "type", "transformation", "amq-msg-type"),
        *("AMQ_SCHEDULED_DELAY", "destination-type", "subscription-type"),
    }
)

#: Names that a property may have but a header of SEND should not, because some broker gives them a meaning.
COLLIDING_NAMES: Final = FIELD_HEADERS | {
    *("id", "selector", "session", "version", "host", "login", "passcode", "server", "message", "browser", "shared"),
    *("durable", "ttl", "delay", "retain", "retained", "mandatory", "message_group", "requeue", "undelivered"),
    *("exclusive", "scheduledJobId", "seq"),
    *("retroactive", "credit", "prefetch", "no_local"),
}
_COLLIDING_PREFIXES: Final = ("AMQ_", "_AMQ_", "_HQ_")

#: JMS-071: of the names that JMS keeps for itself, a sender sets these; the others are the broker's.
_SENT_JMS_NAMES: Final = frozenset({"JMSXGroupID", "JMSXGroupSeq"})

#: JMS-070: what a vendor, and so anybody, may call a property.
_VENDOR_PREFIX: Final = "JMS_"


#: Names of headers are few in any one program.
_CACHED_NAMES: Final = 1000


def header_of(name: str) -> str | None:
    """Return the header that a property is sent in; None for one that only the broker may set, which is not sent."""
    if name.startswith("JMS") and not name.startswith(_VENDOR_PREFIX) and name not in _SENT_JMS_NAMES:
        return None
    if name in COLLIDING_NAMES or name.startswith(_COLLIDING_PREFIXES):
        return f"{RENAMED_PREFIX}{name}"
    return name


@lru_cache(_CACHED_NAMES)
def property_of(header: str) -> str | None:
    """Return the property that a header of a received message stands for; None if it is none."""
    if header in FIELD_HEADERS:
        return None
    if header.startswith(OUR_PREFIX):
        return header.removeprefix(RENAMED_PREFIX) if header.startswith(RENAMED_PREFIX) else None
    # JMS-050: what JMS calls its header fields is no property.
    is_field = header.startswith("JMS") and not header.startswith(("JMSX", _VENDOR_PREFIX))
    return None if is_field else header
