"""A second broker on the same store, and the death of the first one in mid-load."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import final

from tests.harness.process import BrokerProcess
from tests.recovery.history import violations
from tests.recovery.load import Load, drain

#: What is drained is there at once, and nowhere else.
SETTINGS = """
[limits]
max_deliveries = 1_000_000
redelivery_delay_ms = 1
redelivery_delay_limit_ms = 1
"""


@final
@dataclass(frozen=True)
class TakeOver:
    """What was counted."""

    #: From the death of the first broker until the second was ready.
    seconds: float
    #: What was under way, in a line.
    load: str
    #: Promises broken, each as a sentence.
    faults: list[str]


def take_over(first: BrokerProcess, second: BrokerProcess, *, confirmations: int, seed: int) -> TakeOver:
    """Kill a broker under load while another one waits for its store, and let that one go on.

    Args:
        first: Not started; of both stores the URL is the same.
        second: The standby, not started.
        confirmations: How many RECEIPTs are waited for before the kill.
        seed: Decides what the clients do.
    """
    first.start()
    second.launch()
    second.wait_for_output("standing by")
    load = Load(first.port, seed)
    load.start()
    load.wait_for_confirmations(confirmations)

    load.may_end.set()
    first.kill()
    killed = time.monotonic()
    second.wait_until_ready()
    seconds = time.monotonic() - killed

    load.join()
    with second.client() as client:
        drained = drain(client, load.queues)
    return TakeOver(seconds, load.summary(), violations(load.history, drained))
