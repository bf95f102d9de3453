"""A disk that is full for a while, as the process sees it that writes the database."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from tests.endurance.load import PATIENCE_SECONDS, Idler, Producer, drain, faults
from tests.harness.process import BrokerProcess

#: The size of the messages: large enough to fill the little room there is soon.
_BODY_BYTES: Final = 1500

#: Receipts that did not come for so long do not come.
_STANDSTILL_SECONDS: Final = 1.0


def limit_files(process: int, size: int | None) -> None:
    """Let a process write no file beyond a size; what it tries to write there fails at once. None lifts that."""
    # Only the soft limit is set, which every user may raise again for their own processes; a server that root has
    # started runs as somebody else.
    owner = Path(f"/proc/{process}").stat()
    user, group = (owner.st_uid, owner.st_gid) if os.geteuid() == 0 else (None, None)
    limit = "unlimited" if size is None else size
    subprocess.run(["prlimit", f"--pid={process}", f"--fsize={limit}:"], user=user, group=group, check=True)


@final
@dataclass(frozen=True)
class Fullness:
    """What was counted."""

    #: RECEIPTs until the disk was full.
    confirmed_before: int
    #: RECEIPTs in all.
    confirmed: int
    #: Promises broken, each as a sentence.
    faults: list[str]


def fill_up(broker: BrokerProcess, make_room: Callable[[], None]) -> Fullness:
    """Send to a store with little room until nothing is confirmed any more, make room, and go on.

    Args:
        broker: Running.
        make_room: Called when the store is full.
    """
    idler = Idler(broker.port, "1000,200")
    producer = Producer(broker.port, "filler", "/queue/full", body_bytes=_BODY_BYTES, ahead=2000, heart_beat="1000,200")
    idler.start()
    producer.start()
    broker.wait_for_output("The store cannot be reached")
    confirmed_before = _wait_for_standstill(producer)
    idler.check()

    make_room()
    producer.wait_until_confirmed(confirmed_before + 3000)
    producer.stop_sending()
    idler.check()
    idler.finish()
    producer.finish()
    broker.kill()
    broker.restart()
    return Fullness(confirmed_before, producer.confirmed, faults([producer], drain(broker.port, "/queue/full")))


def _wait_for_standstill(producer: Producer) -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    confirmed, still_since = -1, time.monotonic()
    while time.monotonic() < still_since + _STANDSTILL_SECONDS:
        assert time.monotonic() < deadline, "the store does not get full"
        producer.check()
        if producer.confirmed != confirmed:
            confirmed, still_since = producer.confirmed, time.monotonic()
        time.sleep(0.02)
    return confirmed
