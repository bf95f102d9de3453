"""What a connection tells about itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, final

#: JMS-063: those that every broker carries, or that are made up here.
JMSX_PROPERTY_NAMES: Final = ("JMSXDeliveryCount", "JMSXGroupID", "JMSXGroupSeq")

_MAJOR, _MINOR = 3, 1
_SERVER: Final = re.compile(
    r"(?P<name>[^/ ]+)(?:[/ ](?P<version>(?P<major>[0-9]{1,9})?(?:\.(?P<minor>[0-9]{1,9}))?\S*))?"
)


@final
class ConnectionMetaData:
    """The versions of JMS and of the broker (JMS-206). Immutable."""

    __slots__ = ("_provider", "_server")

    def __init__(self, server: str | None) -> None:
        """Read the `server` header of a CONNECTED frame, such as `stompd/0.1.0`; None if there was none."""
        self._server = server or ""
        self._provider = _SERVER.match(self._server)

    @property
    def jms_version(self) -> str:
        """`3.1`."""
        return f"{_MAJOR}.{_MINOR}"

    @property
    def jms_major_version(self) -> int:
        """3."""
        return _MAJOR

    @property
    def jms_minor_version(self) -> int:
        """1."""
        return _MINOR

    @property
    def jms_provider_name(self) -> str:
        """The broker's name; `unknown` if it does not tell."""
        return self._provider["name"] if self._provider else "unknown"

    @property
    def provider_version(self) -> str:
        """The broker's version; empty if it does not tell."""
        return (self._provider["version"] or "") if self._provider else ""

    @property
    def provider_major_version(self) -> int:
        """The first number of the broker's version; 0 if it does not tell."""
        return int(self._provider["major"] or 0) if self._provider else 0

    @property
    def provider_minor_version(self) -> int:
        """The second number of the broker's version; 0 if it does not tell."""
        return int(self._provider["minor"] or 0) if self._provider else 0

    @property
    def jmsx_property_names(self) -> Iterator[str]:
        """The JMSX properties that are supported (JMS-063)."""
        return iter(JMSX_PROPERTY_NAMES)

    def __repr__(self) -> str:
        return f"<ConnectionMetaData JMS {self.jms_version} on {self._server or 'an unknown broker'}>"
