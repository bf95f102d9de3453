"""Sessions, as far as nothing is waited for."""

from __future__ import annotations

from jms_api.constants import SessionMode
from jms_api.engine.session import SessionCore
from jms_api.objects import ObjectCodec
from jms_api.surface.making import Making


class SessionSurface(Making):
    """What every driver's Session has."""

    AUTO_ACKNOWLEDGE = SessionMode.AUTO_ACKNOWLEDGE
    CLIENT_ACKNOWLEDGE = SessionMode.CLIENT_ACKNOWLEDGE
    DUPS_OK_ACKNOWLEDGE = SessionMode.DUPS_OK_ACKNOWLEDGE
    SESSION_TRANSACTED = SessionMode.SESSION_TRANSACTED

    _core: SessionCore

    @property
    def transacted(self) -> bool:
        """Whether it has transactions (JMS-208)."""
        self._core.check_open()
        return self._core.is_transacted

    @property
    def acknowledge_mode(self) -> SessionMode:
        """How it acknowledges (JMS-208)."""
        self._core.check_open()
        return self._core.mode

    @property
    def _codec(self) -> ObjectCodec:
        return self._core.connection.codec

    def _check_usable(self) -> None:
        self._core.check_open()
