"""Questions about the schedule, as ActiveMQ's clients ask them: a SEND to a topic of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stompd.broker.destination import Destination, parse_destination
from stompd.broker.requests import Inspect
from stompd.session.headers import HIGHEST_INTEGER, invalid, missing, parse_integer

#: Where such a SEND goes.
MANAGEMENT: Final = "/topic/ActiveMQ.Scheduler.Management"

ACTION: Final = "AMQ_SCHEDULER_ACTION"
#: Which scheduled message is meant; elsewhere only the broker says this.
JOB: Final = "scheduledJobId"
_START, _END = "AMQ_SCHEDULER_ACTION_START_TIME", "AMQ_SCHEDULER_ACTION_END_TIME"


def read_inspection(headers: Mapping[str, str], destination: Destination) -> Inspect | None:
    """Return what a SEND asks about the schedule; None when it is an ordinary one.

    Raises:
        InvalidHeader: A value cannot be used, or it goes elsewhere.
        MissingHeader: It does not say what to do, where to answer, or what to remove.
    """
    action = headers.get(ACTION, "")
    if not action:
        return None
    if destination.path != MANAGEMENT:
        raise invalid("destination", destination.path, f"{MANAGEMENT} beside {ACTION}")
    if action not in ("BROWSE", "REMOVE", "REMOVEALL"):
        raise invalid(ACTION, action, f"BROWSE, REMOVE or REMOVEALL, for example {ACTION}:BROWSE")
    reply_to = headers.get("reply-to")
    if action == "BROWSE" and not reply_to:
        raise missing(f"SEND with {ACTION}:BROWSE", "reply-to", "/queue/scheduled")
    if action == "REMOVE" and not headers.get(JOB):
        raise missing(f"SEND with {ACTION}:REMOVE", JOB, "1, that of a message that BROWSE has shown")
    return Inspect(
        removes=action != "BROWSE",
        message_id=parse_integer(JOB, headers[JOB], 1, HIGHEST_INTEGER, 1) if action == "REMOVE" else 0,
        start_ms=parse_integer(_START, headers.get(_START) or "0", 0, HIGHEST_INTEGER, 0),
        end_ms=parse_integer(_END, headers.get(_END) or str(HIGHEST_INTEGER), 0, HIGHEST_INTEGER, 0),
        reply_to=parse_destination(reply_to) if reply_to else None,
    )
