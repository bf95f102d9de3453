"""The processes of the company: started, killed at random, and started again when they have ended."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

#: A cold start on a busy machine.
START_SECONDS: Final = 60.0

#: After its start, a process is left in peace for so long.
_CHILDHOOD_SECONDS: Final = 1.5

_LISTENING: Final = re.compile(r"listening on \S*:(\d+)\b")


@final
class Processes:
    """A broker, which is left in peace, and others, which are not."""

    def __init__(self, directory: Path) -> None:
        """Keep what they write in files of a directory."""
        self.kills: Counter[str] = Counter()
        self._victims: list[str] = []  # who is killed next, the last one first
        self._directory = directory
        self._commands: dict[str, list[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The broker was the first to come, and is the last to go.
        for process in reversed(self._running.values()):
            process.terminate()
            process.wait()

    def start_broker(self, store: str) -> int:
        """Start a broker on a store, and return the port where it listens."""
        code = "from stompd.cli import main; main()"
        command = [sys.executable, "-c", code, "--listen", "tcp:0:interface=127.0.0.1", "--store", store]
        process = self._start("broker", command)
        deadline = time.monotonic() + START_SECONDS
        while not (found := _LISTENING.search(self._log("broker").read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"The broker did not start; it says:\n{self._log('broker').read_text()}")
            time.sleep(0.05)
        return int(found[1])

    def start(self, name: str, *arguments: str) -> None:
        """Start one of the modules of this package."""
        self._commands[name] = [sys.executable, "-m", f"{__package__}.{name}", *arguments]
        self._start(name, self._commands[name])

    def kill_one(self, chance: random.Random) -> None:
        """End the next one, if it has got to work, at once and whatever it is doing; everybody has a turn."""
        if not self._victims:
            self._victims = chance.sample(list(self._commands), len(self._commands))
        name = self._victims[-1]
        if self._started[name] < time.monotonic() - _CHILDHOOD_SECONDS:
            self._victims.pop()
            self._running[name].kill()
            self._running[name].wait()
            self.kills[name] += 1

    def start_what_has_ended(self) -> None:
        """Start again what was killed, or has failed."""
        for name, command in self._commands.items():
            if self._running[name].poll() is not None:
                self._start(name, command)

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C is for the one who started them all
            )
        self._running[name], self._started[name] = process, time.monotonic()
        return process

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"


def free_port() -> int:
    """Return a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
