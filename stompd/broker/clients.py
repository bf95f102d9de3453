"""Client ids: who has one, and what is said to those who may not have it."""

from __future__ import annotations

from typing import final

from stompd.broker.effects import SessionId
from stompd.broker.peer import Peer
from stompd.broker.session import Session
from stompd.errors import InvalidClientId, TakenOver


@final
class Clients:
    """The sessions with a client id, on all virtual hosts."""

    __slots__ = ("_sessions",)

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], Session] = {}

    def rival(self, session: Session) -> SessionId | None:
        """Return the session of the same user that has the same client id, if there is one."""
        holder = self._sessions.get(_key(session))
        return None if holder is None or holder.user_name != session.user_name else holder.session_id

    def enter(self, session: Session, owner: str) -> None:
        """Give a session its client id.

        Args:
            session: Which has not been opened.
            owner: The user to whom the durable subscriptions of the client id belong; empty if to nobody.

        Raises:
            InvalidClientId: It may not have it.
        """
        client_id = session.client_id
        if owner not in ("", session.user_name):
            raise InvalidClientId(
                f"client-id:{client_id} has durable subscriptions of another user. Use another id, or log in as that"
                " user."
            )
        holder = self._sessions.get(_key(session))
        if holder is not None:
            origin = holder.peer.origin
            # JMS 3.1, 6.1.2: a client identifier is in use by one connection at a time.
            where = f", {origin}" if origin and holder.user_name == session.user_name else ""
            raise InvalidClientId(
                f"client-id:{client_id} is in use by another connection{where}. Close that one first, or use another"
                " id."
            )
        self._sessions[_key(session)] = session

    def leave(self, session: Session) -> None:
        """Take its client id back, if it has one."""
        if self._sessions.get(_key(session)) is session:
            del self._sessions[_key(session)]


def explain_takeover(peer: Peer) -> TakenOver:
    """Return the error for a session whose client id somebody else of the same user takes over."""
    where = f", {peer.origin}" if peer.origin else ""
    return TakenOver(
        f"client-id:{peer.client_id} was taken over by another connection of the same user{where}. Use another id"
        " for a connection beside it."
    )


def _key(session: Session) -> tuple[str, str]:
    return session.peer.host, session.client_id
