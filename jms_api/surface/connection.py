"""Connections, as far as nothing is waited for."""

from __future__ import annotations

from jms_api.constants import SessionMode
from jms_api.engine import checks
from jms_api.engine.connection import ConnectionCore
from jms_api.engine.session import SessionCore
from jms_api.exceptions import JMSException
from jms_api.metadata import ConnectionMetaData
from jms_api.profiles import Capabilities


class ConnectionSurface:
    """What every driver's Connection has."""

    _core: ConnectionCore

    def _get_client_id(self) -> str | None:
        return self._core.get_client_id()

    @property
    def exception_listener(self) -> object:
        """Who is told what happens to the connection: a callable, or an object with `on_exception` (JMS-202)."""
        return self._core.get_exception_listener()

    @exception_listener.setter
    def exception_listener(self, listener: object) -> None:
        self._core.set_exception_listener(listener)

    @property
    def meta_data(self) -> ConnectionMetaData:
        """The versions of JMS and of the broker (JMS-206)."""
        return self._core.meta_data()

    @property
    def capabilities(self) -> Capabilities:
        """What the broker can do."""
        self._core.check_open()
        return self._core.profile

    def _session_core(self, session_mode: object, acknowledge_mode: object) -> SessionCore:
        """Return a session for either form of `create_session`: a mode, or a bool and a mode (JMS-207)."""
        wanted = session_mode
        if session_mode is True:
            wanted = SessionMode.SESSION_TRANSACTED
        elif session_mode is False:
            wanted = SessionMode.AUTO_ACKNOWLEDGE if acknowledge_mode is None else acknowledge_mode
            if wanted == SessionMode.SESSION_TRANSACTED:
                raise JMSException("a session that is not transacted cannot have the mode SESSION_TRANSACTED")
        self._core.check_open()
        return self._core.create_session(checks.session_mode(wanted))
