"""Who has to rest because a queue that he sent to is full."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from stompd.broker.effects import Resume, SessionId
from stompd.broker.ledger import Ledger

if TYPE_CHECKING:
    from stompd.broker.account import Account


@final
class Resting:
    """Sessions whose frames are not taken until there is room, or until they have waited long enough.

    The time is limited because what a session does not send may include the acknowledgements that make room.
    """

    __slots__ = ("_ledger", "_longest_ms", "next_ms", "sessions")

    def __init__(self, ledger: Ledger, longest_ms: int) -> None:
        """Begin with nobody; nobody rests longer than so many milliseconds."""
        self._ledger = ledger
        self._longest_ms = longest_ms
        #: For whose room each waits, and how long at most, in epoch milliseconds.
        self.sessions: dict[SessionId, tuple[Account, int]] = {}
        #: When somebody has waited long enough; 0 while nobody waits.
        self.next_ms = 0

    def begin(self, session_id: SessionId, account: Account, now: float) -> None:
        """Let a session rest until a queue has room."""
        end_ms = int(now * 1000) + self._longest_ms
        self.sessions.setdefault(session_id, (account, end_ms))
        self.next_ms = self.next_ms or end_ms

    def forget(self, session_id: SessionId) -> None:
        """Note that a session has ended."""
        self.sessions.pop(session_id, None)

    def relax(self) -> None:
        """Let those go on whose queue has room."""
        self._release([name for name, (account, _) in self.sessions.items() if not account.is_full])

    def tick(self, now_ms: int) -> None:
        """Let those go on who have waited long enough."""
        self._release([name for name, (_, end_ms) in self.sessions.items() if end_ms <= now_ms])
        self.next_ms = min((end_ms for _, end_ms in self.sessions.values()), default=0)

    def _release(self, names: list[SessionId]) -> None:
        for session_id in names:
            del self.sessions[session_id]
            self._ledger.effects.append(Resume(session_id))
