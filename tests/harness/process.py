"""The broker as strangers run it: a process of its own, started from the command line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self, final

from tests.harness.raw import RawClient
from tests.harness.websocket import WebSocketPort

#: A cold start on a busy machine creates a database first; a healthy one takes a second.
START_SECONDS: Final = 60.0

#: A drain has 30 s by default; the process has to be gone soon after.
STOP_SECONDS: Final = 45.0

_LISTENING = re.compile(r"listening on (ws:)?\S*:(\d+)\b", re.IGNORECASE)
_READY = re.compile(r"\bready\b", re.IGNORECASE)

#: Those that run now, so that a failing test can show what they wrote.
_running: list[BrokerProcess] = []


@final
class BrokerProcess:
    """One broker on one store, on a free port of 127.0.0.1; it can be stopped, killed and started again."""

    def __init__(
        self,
        directory: Path,
        store: str,
        *,
        settings: str = "",
        arguments: Sequence[str] = (),
        listen: str = "tcp:0:interface=127.0.0.1",
    ) -> None:
        """Describe a broker; `start` starts it.

        Args:
            directory: Where it runs and where its settings are written.
            store: The URL of its store.
            settings: TOML for its settings file.
            arguments: More of the command line.
            listen: Its first endpoint, where `client` connects.
        """
        self.store = store
        self._listen = listen
        self._directory = directory
        self._settings = settings
        self._arguments = list(arguments)
        self._process: subprocess.Popen[str] | None = None
        self._threads: list[threading.Thread] = []
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ports: list[int] = []
        self._is_ready = False
        self._is_stopping = False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def port(self) -> int:
        """The port of its first listener."""
        return self._ports[0]

    @property
    def ports(self) -> list[int]:
        """The ports of all its listeners."""
        return list(self._ports)

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        """What all its runs have written to stdout and stderr so far."""
        with self._changed:
            return "\n".join(self._lines)

    @property
    def is_running(self) -> bool:
        """Whether its process is alive and was not told to stop."""
        return self._process is not None and self._process.poll() is None and not self._is_stopping

    def start(self) -> Self:
        """Start it and wait until it says that it is ready."""
        self.launch()
        self.wait_until_ready()
        return self

    def launch(self) -> None:
        """Start the process, and do not wait."""
        assert not self.is_running, "the broker runs already"
        self._ports, self._is_ready, self._is_stopping = [], False, False
        self._process = subprocess.Popen(
            [str(Path(sys.executable).with_name("stompd")), *self._command_line()],
            cwd=self._directory,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # an interrupt typed at the tests is for the tests
        )
        _running.append(self)
        self._threads = [
            threading.Thread(target=self._read_output, args=(stream,), daemon=True)
            for stream in (self._process.stdout, self._process.stderr)
        ]
        for thread in self._threads:
            thread.start()

    def wait_until_ready(self) -> None:
        """Wait until it has said where it listens and that it is ready."""
        deadline = time.monotonic() + START_SECONDS
        with self._changed:
            while not (self._ports and self._is_ready):
                assert self._process is not None
                left = deadline - time.monotonic()
                has_ended = self._process.poll() is not None
                if has_ended or left <= 0:
                    what = f"ended with {self._process.returncode}" if has_ended else f"did not in {START_SECONDS} s"
                    raise AssertionError("the broker should get ready, but " + what + ":\n" + "\n".join(self._lines))
                self._changed.wait(min(left, 0.1))

    def wait_for_output(self, text: str, timeout: float = START_SECONDS) -> None:
        """Wait until it has written a text."""
        with self._changed:
            came = self._changed.wait_for(lambda: any(text in line for line in self._lines), timeout)
        assert came, f"the broker did not write {text!r} within {timeout} s:\n{self.output}"

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""
        assert self._process is not None
        self._is_stopping = True
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = STOP_SECONDS) -> int:
        """Wait for its end, and return the exit code."""
        assert self._process is not None
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the broker did not end within {timeout} s:\n{self.output}") from None
        self._forget()
        return code

    def stop(self) -> int:
        """Stop it as a service manager does, and return the exit code."""
        self.terminate()
        return self.wait()

    def kill(self) -> None:
        """End it at once with SIGKILL, when it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget()

    def restart(self) -> None:
        """Start it again on its store, after its end."""
        self.start()

    def client(self, version: str | None = "1.2", **headers: str) -> RawClient:
        """Return a client that is connected: in STOMP's sense when a version is given, else only the socket."""
        client = RawClient(self.port)
        if version is not None:
            client.connect(version, **headers)
        return client

    def resident_bytes(self) -> int:
        """The memory that its process has now."""
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _command_line(self) -> list[str]:
        arguments = ["--listen", self._listen, "--store", self.store, *self._arguments]
        if self._settings:
            file = self._directory / "stompd.toml"
            file.write_text(self._settings)
            arguments += ["--config", str(file)]
        return arguments

    def _read_output(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._note(line.rstrip("\n"))

    def _note(self, line: str) -> None:
        with self._changed:
            self._lines.append(line)
            self._ports += [WebSocketPort(port) if is_ws else int(port) for is_ws, port in _LISTENING.findall(line)]
            self._is_ready = self._is_ready or _READY.search(line) is not None
            self._changed.notify_all()

    def _forget(self) -> None:
        for thread in self._threads:
            thread.join()
        if self in _running:
            _running.remove(self)


def running_output() -> str:
    """Return what every broker that runs now has written; for the report of a failed test."""
    return "\n".join(f"--- broker on {broker.store.rpartition('/')[2]} ---\n{broker.output}" for broker in _running)
