"""The broker that other people's clients talk to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.harness.process import BrokerProcess
from tests.harness.raw import unique_name
from tests.harness.reporting import pytest_runtest_makereport  # noqa: F401  # the hook is found by its name

#: Milliseconds; a silent client would be given up after two intervals and a second.
HEART_BEAT: Final = 200

#: Topics that keep what is sent to them.
RULES: Final = """
[[destination]]
pattern = "/topic/kept.#"
retention_messages = 100
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker on SQLite with short heart-beats."""
    directory = tmp_path_factory.mktemp("broker")
    settings = f"heart_beat = [{HEART_BEAT}, {HEART_BEAT}]\n{RULES}"
    with BrokerProcess(directory, f"sqlite:///{directory / 'stompd.sqlite3'}", settings=settings) as broker:
        yield broker


@pytest.fixture
def queue() -> str:
    """A queue that no other test uses."""
    return unique_name("/queue/interop")


@pytest.fixture
def put(broker: BrokerProcess) -> Callable[..., None]:
    """Send texts to a queue, each with its receipt."""

    def send(destination: str, *bodies: str) -> None:
        with broker.client() as client:
            for body in bodies:
                client.send_message(destination, body)

    return send


@pytest.fixture
def contents(broker: BrokerProcess) -> Callable[[str], list[str]]:
    """Empty a queue, and tell the bodies that were in it."""

    def take(destination: str) -> list[str]:
        with broker.client() as client:
            return [frame.body.decode() for frame in client.take_all(destination)]

    return take
