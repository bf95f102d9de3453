"""Connection factories that block: see JMS 3.1, 6.1."""

from __future__ import annotations

from jms_api.connection import Connection
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

    def create_connection(
        self, user_name: str | None = None, password: str | None = None, *, client_id: str | None = None
    ) -> Connection:
        """Connect (JMS-172).

        Raises:
            JMSSecurityException: The login was refused.
            JMSException: No broker can be reached.
        """
        said = {"user_name": user_name, "password": password, "client_id": client_id}
        return Connection(self.options.override({name: value for name, value in said.items() if value is not None}))
