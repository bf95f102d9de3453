"""The one table of every header that clients send: ours, its other spellings, and those of other brokers.

What a header does is written where it is read; this says what there is. PROTOCOL.md's tables are made of it
(scripts/headers.py), and so is the advice that frames are answered with (`stompd/session/advice.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, final


@final
class Header(NamedTuple):
    """A header that means something on one kind of frame."""

    name: str
    #: What its value may be, in words.
    values: str
    #: What counts when it is not there, in words.
    default: str
    meaning: str
    #: Other brokers' and older spellings, which do the same.
    aliases: tuple[str, ...]


def _row(name: str, values: str, default: str, meaning: str, *aliases: str) -> Header:
    return Header(name, values, default, meaning, aliases)


_ANY: Final = "any text"
_NUMBER: Final = "a number"
_INTEGER: Final = "a number, also below 0"
_FLAG: Final = "yes or no"
_WINDOW: Final = "a number of bytes; -1 is no limit"
_TITLE: Final = "1 to 255 characters"
_KINDS: Final = "`ANYCAST`, `MULTICAST`"
_RECEIPT: Final = _row("receipt", _ANY, "none", "asks for a RECEIPT, which repeats it as `receipt-id`")
_LENGTH: Final = _row("content-length", _NUMBER, "up to the NUL", "how many octets the body has")
_IN_TRANSACTION: Final = _row("transaction", "a transaction that is open", "none", "what the frame is a part of")
_TRANSACTION: Final = _row("transaction", _ANY, "required", "which transaction")
_DURABLE_NAME: Final = _row(
    "durable-subscription-name",
    _TITLE,
    "none",
    "a durable subscription of a topic, of this name",
    "durable-subscriber-name",
    "activemq.subscriptionName",
    "activemq.subcriptionName",
    "x-queue-name",
)
_GROUP: Final = _row("subscription-group", _TITLE, "none", "a shared durable subscription of this group to a topic")

_EXCLUSIVE_ALIASES: Final = ("activemq.exclusive", "x-single-active-consumer")

_CONNECT: Final = (
    _row("accept-version", "versions with commas between", "1.0", "what the client speaks"),
    _row(
        "host",
        _ANY,
        "none",
        "the virtual host; an unknown one is the default one, unless the operator wants it refused",
    ),
    _row("login", _ANY, "nobody", "checked if the broker was started with `--auth`, else not looked at"),
    _row("passcode", _ANY, "empty", "goes with `login`, or is a token"),
    _row("client-id", _TITLE, "none", "who has durable subscriptions", "client_id", "activemq.clientID"),
    _row("heart-beat", "two numbers of milliseconds", "0,0", "as in the specification; not looked at in 1.0"),
    _row("request-id", _ANY, "none", "comes back as `response-id`"),
    _row("soft-errors", _FLAG, "no", "keeps the connection after an ERROR about one frame", "jms-soft-errors"),
    _LENGTH,
)

_SEND: Final = (
    _row("destination", "see [above](#destinations)", "required", "where the message goes"),
    _row("destination-type", _KINDS, "none", "what a destination without a prefix is: a queue, or a topic"),
    _IN_TRANSACTION,
    _RECEIPT,
    _LENGTH,
    _row("content-type", "a MIME type", "none", "passed on"),
    _row("persistent", _FLAG, "yes", "whether the message survives the broker"),
    _row("priority", "0 to 9", "4", "9 goes first"),
    _row("expires", _NUMBER, "0", "when it expires, in milliseconds since 1970; 0 is never", "JMSExpiration"),
    _row("ttl", _NUMBER, "0", "expires after that many milliseconds; 0 is never", "expiration", "x-message-ttl"),
    _row("delay", _NUMBER, "0", "delivers after that many milliseconds", "x-delay", "AMQ_SCHEDULED_DELAY"),
    _row("AMQ_SCHEDULED_TIME", _NUMBER, "0", "delivers then, in milliseconds since 1970", "_AMQ_SCHED_DELIVERY"),
    _row("schedule-period", _NUMBER, "none", "milliseconds from one repetition to the next", "AMQ_SCHEDULED_PERIOD"),
    _row(
        "schedule-repeat", "a number, or -1", "none", "so often it comes again; -1 is for ever", "AMQ_SCHEDULED_REPEAT"
    ),
    _row("schedule-cron", "a line of cron", "none", "sends it again and again, then", "AMQ_SCHEDULED_CRON"),
    _row("AMQ_SCHEDULER_ACTION", "`BROWSE`, `REMOVE`, `REMOVEALL`", "none", "lists or cancels what is scheduled"),
    _row("AMQ_SCHEDULER_ACTION_START_TIME", _NUMBER, "0", "of that only what is due from then on"),
    _row("AMQ_SCHEDULER_ACTION_END_TIME", _NUMBER, "none", "of that only what is due up to then"),
    _row("scheduledJobId", _NUMBER, "none", "which scheduled message `REMOVE` cancels"),
    _row("reply-to", "a destination", "none", "passed on: where to answer; see [above](#temporary-destinations)"),
    _row("correlation-id", _ANY, "none", "passed on: what is answered"),
    _row("type", _ANY, "none", "passed on: what kind of message it is"),
    _row("amq-msg-type", "`text`, `bytes`", "none", "passed on; here a body is octets in any case"),
    _row("jms-prop-types", "`NAME=TYPE`, with commas", "none", "passed on: the types of [properties](#send)"),
    _row("message-id", _ANY, "none", "arrives as `original-message-id`, since the broker gives its own"),
    _row("timestamp", _ANY, "none", "arrives as `sender-timestamp`, since the broker gives its own"),
    _row(
        "JMSXGroupID", _TITLE, "none", "a group goes to one consumer", "JMSXGroupId", "message_group", "_AMQ_GROUP_ID"
    ),
    _row("JMSXGroupSeq", _INTEGER, "none", "passed on: its place in the group; -1 ends the group"),
    _row("retain", "`set`, `remove`, yes or no", "no", "keeps the message of a topic for later subscribers"),
    _row("dedup-id", _TITLE, "none", "what was sent with the same id before is not sent again", "_AMQ_DUPL_ID"),
    _row("last-value-key", _ANY, "none", "replaces the message that waits with the same key", "_AMQ_LVQ_NAME"),
    _row("browser", "any text but `end`", "none", "passed on; `end` is what the broker says to those who browse"),
    _row("mandatory", _FLAG, "no", "an ERROR when nobody would get the message"),
)

_SUBSCRIBE: Final = (
    _row("destination", "see [above](#destinations)", "required", "where messages are taken from"),
    _row("subscription-type", _KINDS, "none", "what a destination without a prefix is: a queue, or a topic"),
    _row("id", _ANY, "required; in 1.0 the destination", "names the subscription within the connection"),
    _row("ack", "`auto` (or `none`), `client`, `client-individual`", "`auto`", "who settles deliveries, and how many"),
    _RECEIPT,
    _LENGTH,
    _row(
        "prefetch-count",
        _NUMBER,
        "the setting `limits.queue_prefetch` or `limits.topic_prefetch`",
        "how many deliveries may be outstanding; 0 is as many as possible",
        "activemq.prefetchSize",
        "prefetch",
        "consumer.prefetchSize",
        "credit",
    ),
    _row("selector", "a condition of JMS", "none", "takes only the messages for which it is true"),
    _DURABLE_NAME,
    _row("durable", _FLAG, "no", "a durable subscription of a topic, whose name is the `id`", "persistent"),
    _GROUP,
    _row("jms-subscription", _TITLE, "none", "a shared subscription of this name that is not durable"),
    _row("shared", _FLAG, "no", "several may subscribe under the name; each message goes to one of them"),
    _row("browser", _FLAG, "no", "shows the messages of a queue and leaves them there"),
    _row("browser-end", _FLAG, "yes", "whether browsing ends with the last message"),
    _row("exclusive", _FLAG, "no", "takes all messages while the others wait", *_EXCLUSIVE_ALIASES),
    _row("no-local", _FLAG, "no", "of a topic, nothing that the same connection sent", "no_local", "activemq.noLocal"),
    _row("consumer-priority", _INTEGER, "0", "the highest with credit goes first", "x-priority", "activemq.priority"),
    _row(
        "retroactive",
        "yes or no, or a number",
        "no",
        "begins with what the topic has kept, or the newest so many of it",
        "activemq.retroactive",
    ),
    _row("from-seq", "a `seq`, or -1 for none", "none", "begins with the message that has it", "x-stream-offset"),
    _row("from-time", _NUMBER, "none", "begins with what was sent then, in milliseconds since 1970"),
    _row("consumer-window-size", _WINDOW, "-1", "how much may be outstanding; 0 is one message at a time"),
    _row("x-stream-filter", _ANY, "none", "RabbitMQ's filter is refused; use `selector`"),
)

_UNSUBSCRIBE: Final = (
    _row("id", _ANY, "required; in 1.0 the destination", "which subscription ends"),
    _row("destination", _ANY, "none", "in 1.0, does in place of the `id`; which topic a durable subscription is of"),
    _RECEIPT,
    _LENGTH,
    _DURABLE_NAME,
    _GROUP,
    _row("durable", _FLAG, "no", "deletes the durable subscription that `id` names", "persistent"),
    _row("delete", _FLAG, "no", "removes the temporary destination that `destination` names"),
    _row("undelivered", _FLAG, "no", "nobody has seen what is outstanding, so it is not counted"),
)

_ACK: Final = (
    _row("id", _ANY, "required in 1.2", "the `ack` of the MESSAGE"),
    _row("message-id", _ANY, "required in 1.0 and 1.1", "that of the MESSAGE; not looked at in 1.2"),
    _row("subscription", _ANY, "required in 1.1", "that of the MESSAGE; not looked at in 1.2"),
    _IN_TRANSACTION,
    _RECEIPT,
    _LENGTH,
)

_NACK: Final = (
    *_ACK,
    _row("requeue", _FLAG, "yes", "whether it comes again; else it is dead"),
    _row("delay", _NUMBER, "0", "comes again after that many milliseconds"),
    _row("undelivered", _FLAG, "no", "nobody has seen it, so it is not counted"),
)

_DEMARCATION: Final = (_TRANSACTION, _RECEIPT, _LENGTH)

#: By command, every header that means something; STOMP is as CONNECT. What `UNSUPPORTED` has too earns an ERROR.
HEADERS: Final[Mapping[str, tuple[Header, ...]]] = {
    "CONNECT": _CONNECT,
    "SEND": _SEND,
    "SUBSCRIBE": _SUBSCRIBE,
    "UNSUBSCRIBE": _UNSUBSCRIBE,
    "ACK": _ACK,
    "NACK": _NACK,
    "BEGIN": _DEMARCATION,
    "COMMIT": _DEMARCATION,
    "ABORT": _DEMARCATION,
    "DISCONNECT": (_RECEIPT, _LENGTH),
}


@final
class Spelling(NamedTuple):
    """A header of which there are several spellings."""

    #: The first one of them.
    name: str
    is_flag: bool


#: By command and spelling, the header that is meant, of those that can be spelled in several ways.
SPELLINGS: Final[Mapping[str, Mapping[str, Spelling]]] = {
    command: {
        spelling: Spelling(header.name, header.values == _FLAG)
        for header in headers
        if header.aliases
        for spelling in (header.name, *header.aliases)
    }
    for command, headers in HEADERS.items()
}


@final
class Odd(NamedTuple):
    """A header of other brokers that does nothing here and changes no delivery: it is answered with a warning."""

    reason: str
    #: The values that ask for what is so anyway, in lower case.
    harmless: frozenset[str] = frozenset()


_OPERATOR: Final = Odd("what a queue holds and how long is set by the operator")
_UNTIED: Final = Odd("queues come and go by themselves", frozenset({"false", "0", "no"}))
_REDELIVERY: Final = Odd("redelivery is set by the operator")
_ACTIVEMQ: Final = Odd("an option of ActiveMQ that this broker has no need of")
_BACKLOG: Final = Odd("the setting limits.topic_backlog decides")
_SEQUENCE: Final = Odd("messages of topics that keep them have seq, and message-id rises from one to the next")
_UNCONVERTED: Final = Odd("bodies are passed on as they were sent")

#: What RabbitMQ takes for the making of a queue. Two clients may differ in it, so it can be no more than a wish.
_QUEUE_ARGUMENTS: Final[Mapping[str, Odd]] = {
    "auto-delete": _UNTIED,
    "x-expires": _OPERATOR,
    "x-max-length": _OPERATOR,
    "x-max-length-bytes": _OPERATOR,
    "x-max-age": _OPERATOR,
    "x-overflow": _OPERATOR,
    "x-dead-letter-exchange": _OPERATOR,
    "x-dead-letter-routing-key": _OPERATOR,
    "x-delivery-limit": _OPERATOR,
    "x-max-priority": Odd("every queue has the priorities 0 to 9"),
    "x-queue-type": Odd("there is one type of queue", frozenset({"classic", "quorum"})),
    "x-single-active-consumer": Odd("see exclusive, on SUBSCRIBE", frozenset({"false"})),
    "x-stream-max-segment-size-bytes": _OPERATOR,
    "x-stream-filter-size-bytes": _OPERATOR,
}

#: By command, headers of other brokers; more of them are recognized by `ODD_PREFIXES`.
ODD: Final[Mapping[str, Mapping[str, Odd]]] = {
    "CONNECT": {
        "receipt": Odd("CONNECTED is the answer to CONNECT"),
    },
    "SEND": {
        **_QUEUE_ARGUMENTS,
        "transformation": _UNCONVERTED,
        "include-seq": _SEQUENCE,
        "user-id": Odd("it is passed on, and nobody has checked it"),
        "passcode": Odd("it is passed on to every consumer, and belongs to CONNECT"),
        "routing-type": Odd("the prefix of the destination decides, /queue/ or /topic/"),
        "_AMQ_ROUTING_TYPE": Odd("the prefix of the destination decides, /queue/ or /topic/"),
    },
    "SUBSCRIBE": {
        **{name: odd for name, odd in _QUEUE_ARGUMENTS.items() if name not in _EXCLUSIVE_ALIASES},
        "x-message-ttl": Odd("the sender decides, with ttl on SEND"),
        "x-stream-match-unfiltered": Odd("it goes with x-stream-filter"),
        "transformation": _UNCONVERTED,
        "priority": Odd("messages have it, did you mean consumer-priority?"),
        "include-seq": _SEQUENCE,
        "max-pending": _BACKLOG,
        "activemq.maximumPendingMessageLimit": _BACKLOG,
        "activemq.maximumRedeliveries": _REDELIVERY,
        "activemq.initialRedeliveryDelay": _REDELIVERY,
        "activemq.redeliveryDelay": _REDELIVERY,
    },
    "ACK": {"credit": Odd("credit is what prefetch-count on SUBSCRIBE says")},
    "NACK": {"credit": Odd("credit is what prefetch-count on SUBSCRIBE says")},
}

#: What other brokers' families of headers are, on any frame but SEND, where a header may be the sender's own.
ODD_PREFIXES: Final[Mapping[str, Odd]] = {
    "activemq.": _ACTIVEMQ,
    "consumer.": _ACTIVEMQ,
}

#: Words that are no slip of the pen but somebody's idea of a name, and the header that is meant.
MEANT: Final[Mapping[str, Mapping[str, str]]] = {
    "CONNECT": {"username": "login", "user": "login", "password": "passcode", "heartbeat": "heart-beat"},
    "SEND": {
        "durable": "persistent",
        "JMSDeliveryTime": "AMQ_SCHEDULED_TIME",
        "delivery-time": "AMQ_SCHEDULED_TIME",
        "JMSTimestamp": "timestamp",
        "delivery-mode": "persistent",
        "JMSDeliveryMode": "persistent",
        "JMSPriority": "priority",
        "JMSReplyTo": "reply-to",
        "JMSCorrelationID": "correlation-id",
        "JMSType": "type",
        "JMSXGroupSequence": "JMSXGroupSeq",
        "expiry": "expires",
        "expire": "expires",
        "time-to-live": "ttl",
        "timeToLive": "ttl",
        "group-id": "JMSXGroupID",
        "message-group": "JMSXGroupID",
        "deduplication-id": "dedup-id",
    },
    "SUBSCRIBE": {
        "prefetch-size": "prefetch-count",
        "prefetchSize": "prefetch-count",
        "activemq.prefetch": "prefetch-count",
        "ack-mode": "ack",
        "ackMode": "ack",
        "filter": "selector",
        "JMSSelector": "selector",
        "x-prefetch-count": "prefetch-count",
        "x-prefetch": "prefetch-count",
        "retro-active": "retroactive",
        "durable-name": "durable-subscription-name",
        "subscription-name": "durable-subscription-name",
        "group": "subscription-group",
    },
    "UNSUBSCRIBE": {"subscription": "id"},
}
