"""What the model remembers: messages in queues, requests that are being carried out, sessions and subscriptions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from stompd.broker.message import Message
from stompd.broker.requests import ORDINARY, AckMode, Rejection, Terms

#: What clients select, each with what it means.
SELECTORS: dict[str, Callable[[Message], bool]] = {
    "": lambda message: True,
    "kind = 'a'": lambda message: message.headers["kind"] == "a",
    "kind <> 'a'": lambda message: message.headers["kind"] != "a",
    "kind = 'b' OR JMSPriority > 4": lambda message: message.headers["kind"] == "b" or message.priority > 4,
    "kind = 'none'": lambda message: False,
}


class Violation(AssertionError):
    """The broker broke a promise."""


class State(Enum):
    """Where a message is in its queue, as far as the clients and the store can know."""

    ARRIVING = auto()  # accepted, its unit not answered
    WAITING = auto()
    OUTSTANDING = auto()  # with a subscription that acknowledges
    UNSETTLED = auto()  # with an automatic subscription, still in our transport's buffer
    HELD = auto()  # acknowledged or rejected within an open transaction
    SETTLING = auto()  # acknowledged, the unit not answered
    RETURNING = auto()  # rejected, the unit not answered
    GONE = auto()


@dataclass(slots=True, eq=False, repr=False)
class Home:
    """A queue: one of a destination, that of one topic subscription, or that of a durable one."""

    name: str
    is_durable: bool
    topic: str | None = None  # whose messages it gets, if it is that of a durable subscription
    selector: str = ""  # which of them
    creation: Record | None = None  # the SUBSCRIBE that made that one
    limit: int = 0  # messages, beyond which the oldest is dropped
    was_bounded: bool = False  # something arrived since the last crash, so that the limit was looked at
    is_alive: bool = True
    is_banked: bool = False  # a RECEIPT promised that it is kept
    is_deleted: bool = False  # a RECEIPT promised that it is gone
    live: dict[Copy, None] = field(default_factory=dict)  # in order of sending
    by_id: dict[int, Copy] = field(default_factory=dict)
    is_selected_from: bool = False  # whether a subscription with a selector was ever there
    is_grouped: bool = False  # whether a message with a group was ever there
    holders: dict[str, ClientSubscription] = field(default_factory=dict)  # of groups
    closed: set[str] = field(default_factory=set)  # groups that were closed in this turn
    servants: list[ClientSubscription] = field(default_factory=list)  # who was given something
    subscribers: list[ClientSubscription] = field(default_factory=list)
    exclusive: ClientSubscription | None = None  # the exclusive one that was given something last
    last_first_delivery: dict[tuple[object, ...], int] = field(
        default_factory=dict
    )  # the order, by sender and priority

    def forget_subscribers(self) -> None:
        """Begin anew after a crash."""
        self.was_bounded = False
        self.holders.clear()
        self.servants.clear()
        self.subscribers.clear()
        self.exclusive = None

    def rivals(self, subscription: ClientSubscription) -> list[ClientSubscription]:
        """Who else takes from it."""
        return [other for other in self.subscribers if other.is_active and other is not subscription]


@dataclass(slots=True, eq=False, repr=False)
class Copy:
    """A message's place in one queue."""

    name: str
    home: Home
    sender: int
    order: int  # rises with the order in which the sender's messages took effect
    message: Message
    state: State = State.ARRIVING
    record: Record | None = None  # the request that brings, settles or returns it now
    holder: ClientSubscription | None = None  # who was given it last,
    number: int = 0  # and the number of that delivery
    visible_after: int = 0  # the serial of a unit; once that is answered, the message can be delivered
    count: int = 0  # what the next delivery must say
    due_ms: int = 0  # what its row says
    is_late: bool = False  # it was due later once, so newer ones may have gone before it
    was_seen: bool = False  # delivered to anybody, ever
    was_seen_now: bool = False  # delivered since the last crash
    is_banked: bool = False  # a RECEIPT promised that it is kept
    is_settled: bool = False  # a RECEIPT promised that it never returns
    is_retained: bool = False  # its topic had it for those who subscribed later

    @property
    def is_durable(self) -> bool:
        """Whether it must survive a crash."""
        return self.home.is_durable and self.message.is_persistent

    @property
    def may_expire(self) -> bool:
        """Whether it can vanish without being delivered."""
        return self.expires or self.home.limit > 0

    @property
    def expires(self) -> bool:
        """Whether it expires at some time."""
        return self.message.expires_ms > 0

    @property
    def group(self) -> str:
        """The group of the message, or nothing."""
        return self.message.headers.get("JMSXGroupID", "")

    @property
    def size(self) -> int:
        """Bytes of its body."""
        return len(self.message.body)

    def move(self, state: State) -> None:
        """Change the state; a queue that is gone keeps nothing."""
        if not self.home.is_alive:
            state = State.GONE
        self.state = state
        if state is State.GONE:
            self.home.live.pop(self, None)

    def come_back(self, visible_after: int = 0) -> None:
        """Return to the queue, counted as delivered."""
        self.count += 1
        self.is_late = self.is_late or self.count > 1
        self.visible_after = visible_after
        self.move(State.WAITING)


@dataclass(slots=True, eq=False, repr=False)
class Record:
    """One frame of one session and what it moves."""

    session: ClientSession
    number: int
    receipt: str | None
    arriving: list[Copy] = field(default_factory=list)
    settling: list[Copy] = field(default_factory=list)
    returning: list[Copy] = field(default_factory=list)
    rejected: list[Copy] = field(default_factory=list)  # back already; their counts are on the way
    serial: int | None = None
    repeated: list[Copy] = field(default_factory=list)  # what was sent before under the same dedup-id
    settled_before: list[Copy] = field(default_factory=list)  # what it acknowledges once more
    durable: Home | None = None  # the durable subscription that it makes or uses
    deleting: list[Home] = field(default_factory=list)  # those that it deletes or replaces
    is_commit: bool = False
    is_retaining: bool = False  # it changes what a topic retains
    is_disconnect: bool = False
    is_declined: bool = False  # it is answered with an ERROR after which its session goes on
    is_answered: bool = False
    is_refused: bool = False  # the broker may not know yet


@dataclass(slots=True, eq=False, repr=False)
class Kept:
    """A message that a topic retains."""

    name: str
    sender: int
    order: int
    message: Message


@dataclass(slots=True, eq=False, repr=False)
class Change:
    """That a topic retains another message, or none."""

    record: Record | None  # the request; None for what was found after a crash
    kept: Kept | None

    @property
    def stored_id(self) -> int | None:
        """The id of the message, if it is to survive a crash."""
        return self.kept.message.message_id if self.kept and self.kept.message.is_persistent else None


@dataclass(slots=True, eq=False, repr=False)
class HeldSend:
    """A SEND within an open transaction."""

    message: Message
    name: str


@dataclass(slots=True, eq=False, repr=False)
class HeldSettlement:
    """An ACK or NACK within an open transaction."""

    subscription: ClientSubscription
    copies: list[Copy]
    rejection: Rejection | None


@dataclass(slots=True, eq=False, repr=False)
class ClientSubscription:
    """A SUBSCRIBE of one session."""

    session: ClientSession
    name: str
    number: int
    ack_mode: AckMode
    home: Home
    topic: str | None
    credit: int
    record: Record
    selector: str = ""
    others: tuple[Home, ...] = ()  # further queues that it takes from
    is_active: bool = True
    outstanding: dict[int, Copy] = field(default_factory=dict)  # by delivery number; held ones included
    unsettled: list[Copy] = field(default_factory=list)
    terms: Terms = ORDINARY
    expected: list[Copy] = field(default_factory=list)  # what a browser must be shown, if it stays where it is
    shown: list[Copy] = field(default_factory=list)  # what a browser was shown
    unwritten: int = 0  # how much a browser was shown that the transport has not taken
    has_ended: bool = False  # a browser was told that this was all

    def may_take(self, copy: Copy) -> bool:
        """Whether a message belongs to nobody else."""
        holder = copy.home.holders.get(copy.group)
        is_free = holder is None or holder is self or not holder.is_active
        return self.wants(copy.message) and is_free and copy.group not in copy.home.closed

    @property
    def homes(self) -> tuple[Home, ...]:
        """All queues that it takes from."""
        return (self.home, *self.others)

    def wants(self, message: Message) -> bool:
        """Whether its selector selects a message."""
        return SELECTORS[self.selector](message)

    def with_client(self) -> list[Copy]:
        """What counts against its credit."""
        return [copy for copy in self.outstanding.values() if copy.state is State.OUTSTANDING] + self.unsettled


@dataclass(slots=True, eq=False, repr=False)
class ClientSession:
    """A session as its client knows it."""

    session_id: int
    names_by_token: bool
    has_soft_errors: bool = False
    is_writable: bool = True
    is_over: bool = False  # disconnected, refused or lost: nothing it sends has an effect
    is_lost: bool = False
    is_refused: bool = False
    is_closed: bool = False
    fault: Record | None = None  # the frame for which it must be refused
    frames: int = 0
    subscription_count: int = 0
    subscriptions: dict[str, ClientSubscription] = field(default_factory=dict)
    by_number: dict[int, ClientSubscription] = field(default_factory=dict)
    transactions: dict[str, list[HeldSend | HeldSettlement]] = field(default_factory=dict)
    expected: deque[Record] = field(default_factory=deque)  # frames whose RECEIPT is due, in order
    temporary: Home | None = None  # its temporary queue
    settled: list[Copy] = field(default_factory=list)  # all it ever acknowledged
    history: list[tuple[ClientSubscription, int, Copy]] = field(default_factory=list)

    def own_home(self) -> Home:
        """Its temporary queue, which its first use creates."""
        if self.temporary is None:
            self.temporary = Home(f"temporary queue of session {self.session_id}", is_durable=False)
        return self.temporary
