"""What the core remembers of one session."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, final

from stompd.broker.delivery import Delivery
from stompd.broker.effects import SessionId
from stompd.broker.peer import Peer
from stompd.broker.subscription import Subscription
from stompd.broker.temporary import Temporary
from stompd.broker.transaction import Transaction
from stompd.errors import StompError

if TYPE_CHECKING:
    from stompd.broker.catalogue import Catalogue
    from stompd.broker.ledger import Work


#: Late acknowledgements are tolerated for so many messages; beyond them they count as never delivered.
_REMEMBERED_IDS = 1_000


@final
class Session:
    """The subscriptions, transactions and unsettled deliveries of one session."""

    __slots__ = (
        "_last_number",
        "by_number",
        "catalogue",
        "granted",
        "granted_bytes",
        "has_soft_errors",
        "is_ending",
        "is_refused",
        "is_writable",
        "peer",
        "pending",
        "session_id",
        "settled_ids",
        "spread_count",
        "subscriptions",
        "temporaries",
        "token",
        "transactions",
        "unsettled",
    )

    def __init__(
        self,
        session_id: SessionId,
        catalogue: Catalogue,
        peer: Peer,
        *,
        token: bytes = b"",
        has_soft_errors: bool = False,
    ) -> None:
        self.session_id = session_id
        self.catalogue = catalogue  # of its virtual host
        self.peer = peer
        #: What its subscriptions may have outstanding together: deliveries, and bytes of bodies.
        self.granted = self.granted_bytes = 0
        #: What nobody else knows; the names of its temporary destinations are made of it.
        self.token = token
        #: Whether a request that fails alone, and that somebody waits for, leaves the session open.
        self.has_soft_errors = has_soft_errors
        #: Queues that its subscriptions take from by wildcards and lists.
        self.spread_count = 0
        #: Its temporary destinations, by the path that it knows them by.
        self.temporaries: dict[str, Temporary] = {}
        #: By the client's id.
        self.subscriptions: dict[str, Subscription] = {}
        #: By the broker's number; a number is never reused.
        self.by_number: dict[int, Subscription] = {}
        self.transactions: dict[str, Transaction] = {}
        #: Deliveries to automatic subscriptions that the transport has not taken yet, oldest first.
        self.unsettled: list[Delivery] = []
        #: Messages that clients which acknowledge by message id may still acknowledge though they are settled; bounded.
        self.settled_ids: deque[str] = deque(maxlen=_REMEMBERED_IDS)
        #: The unit that later requests have to wait for.
        self.pending: Work | None = None
        #: Whether the transport takes more; a session that does not read is given nothing.
        self.is_writable = True
        #: Whether further requests are ignored: it disconnected, or was refused.
        self.is_ending = False
        #: Whether its ERROR has been decided, after which it gets no frame.
        self.is_refused = False
        self._last_number = 0

    @property
    def client_id(self) -> str:
        """What the client called itself; empty if it did not."""
        return self.peer.client_id

    @property
    def user_name(self) -> str:
        """Who logged in."""
        return self.peer.user_name

    @property
    def last_number(self) -> int:
        """The highest subscription number ever given out; 0 when there was none."""
        return self._last_number

    def survives(self, error: StompError, receipt: str | None) -> bool:
        """Whether the session goes on after an error of a frame.

        It does where the client asked for that and the ERROR can name the frame, which takes a receipt: who did not
        ask for one counts on having been heard, and learns from the close that it was not.
        """
        return self.has_soft_errors and error.is_of_frame and receipt is not None

    def next_number(self) -> int:
        """Return a number for a new subscription."""
        self._last_number += 1
        return self._last_number

    def add(self, subscription: Subscription) -> None:
        """Remember a subscription, and what it may have outstanding."""
        self.subscriptions[subscription.subscription_id] = self.by_number[subscription.number] = subscription
        self.granted += subscription.granted
        self.granted_bytes += subscription.byte_limit

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription that has ended."""
        del self.subscriptions[subscription.subscription_id], self.by_number[subscription.number]
        self.granted -= subscription.granted
        self.granted_bytes -= subscription.byte_limit
