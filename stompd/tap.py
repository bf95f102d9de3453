"""What `twistd stompd` calls: its options, and the service they describe."""

from __future__ import annotations

from pathlib import Path

from twisted.application.service import IService
from twisted.python import usage

from stompd.config import load_settings
from stompd.errors import SettingError
from stompd.service import make_service
from stompd.settings import Settings


class Options(usage.Options):
    """The command line of `twistd stompd`; logging is left to `twistd` and its `--logger`."""

    optParameters = (
        ("config", "c", None, "A TOML file with settings; the options given here come before it."),
        ("store", "s", None, "Where messages are kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."),
    )

    def opt_listen(self, endpoint: str) -> None:
        """Accept STOMP on this endpoint, such as tcp:61613:interface=127.0.0.1; may be repeated."""
        self.setdefault("listen", []).append(endpoint)

    def opt_auth(self, checker: str) -> None:
        """Check logins with this, such as file:/etc/stompd/users; may be repeated."""
        self.setdefault("auth", []).append(checker)

    def postOptions(self) -> None:
        """Load the settings.

        Raises:
            usage.UsageError: A setting cannot be used.
        """
        given = {name: self[name] for name in ("listen", "store", "auth") if self.get(name)}
        path = Path(self["config"]) if self["config"] else None
        try:
            self.settings: Settings = load_settings(path, given)
        except SettingError as error:
            raise usage.UsageError(str(error)) from error


def makeService(options: Options) -> IService:
    """Return the broker as a service that `twistd` starts and stops."""
    return make_service(options.settings)
