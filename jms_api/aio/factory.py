"""Connection factories for asyncio: see JMS 3.1, 6.1."""

from __future__ import annotations

from jms_api.aio.channel import open_channel
from jms_api.aio.connection import Connection
from jms_api.aio.context import JMSContext
from jms_api.constants import SessionMode
from jms_api.engine import checks
from jms_api.engine.context import ContextCore
from jms_api.surface.twins import as_runtime
from jms_api.url import ConnectionOptions


class ConnectionFactory:
    """Knows how to reach a broker; holds nothing of it (JMS-193). Any thread may use it."""

    def __init__(self, url: str = "stomp://localhost:61613", **options: object) -> None:
        """Describe the broker.

        Args:
            url: Such as `stomp://user:password@mq1:61613,mq2:61613?client_id=shop`.
            options: Those of `ConnectionOptions`, in place of what the URL says.

        Raises:
            IllegalArgumentException: The URL or an option cannot be used.
        """
        self.options = ConnectionOptions.parse(url, **options)

    async def create_connection(
        self, user_name: str | None = None, password: str | None = None, *, client_id: str | None = None
    ) -> Connection:
        """Connect (JMS-172).

        Raises:
            JMSSecurityException: The login was refused.
            JMSException: No broker can be reached.
        """
        return Connection(await open_channel(self._options_for(user_name, password, client_id)))

    async def create_context(
        self,
        user_name: str | int | None = None,
        password: str | None = None,
        session_mode: int = SessionMode.AUTO_ACKNOWLEDGE,
        *,
        client_id: str | None = None,
    ) -> JMSContext:
        """Connect, and begin a session (JMS-365); a session mode may stand alone: `create_context(mode)`.

        Raises:
            JMSSecurityRuntimeException: The login was refused.
            JMSRuntimeException: No broker can be reached, or there is no such mode.
        """
        if isinstance(user_name, int):
            session_mode = user_name
        name = user_name if isinstance(user_name, str) else None
        with as_runtime():
            checks.session_mode(session_mode)
            channel = await open_channel(self._options_for(name, password, client_id))
            return JMSContext(ContextCore(channel.core, session_mode), channel)

    def _options_for(self, user_name: str | None, password: str | None, client_id: str | None) -> ConnectionOptions:
        said = {"user_name": user_name, "password": password, "client_id": client_id}
        return self.options.override({name: value for name, value in said.items() if value is not None})
