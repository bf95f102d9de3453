"""What `stompd scheduled` does: list what is scheduled, and cancel it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping

from stompd.client import Client, ClientError
from stompd.wire.frame import Frame

#: Where the broker is asked about its schedule.
_MANAGEMENT = "/topic/ActiveMQ.Scheduler.Management"

#: Answers come at once; a broker that is busy may take a while.
_ANSWER_SECONDS = 30.0

_PREFETCH = 100


def list_scheduled(client: Client) -> Iterator[Frame]:
    """Yield what is scheduled: delayed messages, and those that are sent again and again.

    Raises:
        ClientError: The broker refuses, or the connection was lost.
    """
    for answer in _ask(client, {"AMQ_SCHEDULER_ACTION": "BROWSE"}):
        if "browser" not in answer.headers:
            yield answer


def cancel_scheduled(client: Client, job_id: str) -> bool:
    """Cancel the scheduled message that has an id, and return whether there was one; errors as for `list_scheduled`."""
    *_, end = _ask(client, {"AMQ_SCHEDULER_ACTION": "REMOVE", "scheduledJobId": job_id})
    return end.headers["count"] != "0"


def _ask(client: Client, headers: Mapping[str, str]) -> Iterator[Frame]:
    """Yield the answers to a question, and last the one that says that there are no more."""
    # The broker removes the queue when nobody has used it for a while.
    replies = f"/queue/stompd.scheduled.{secrets.token_hex(16)}"
    client.subscribe(replies, _PREFETCH)
    client.send(_MANAGEMENT, b"", {**headers, "reply-to": replies})
    while (answer := client.receive_within(_ANSWER_SECONDS)) is not None:
        client.acknowledge(answer)
        yield answer
        if answer.headers.get("browser") == "end":
            return
    raise ClientError(f"the broker did not answer within {_ANSWER_SECONDS:g} seconds")
