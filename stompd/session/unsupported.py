"""What headers ask for and this broker does not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final

from stompd.errors import UnsupportedHeader
from stompd.session.headers import OFF, show


@final
class Feature(NamedTuple):
    """Something that headers ask for and this broker does not do: silence would change what is delivered."""

    name: str
    #: The values that ask for nothing, in lower case.
    harmless: frozenset[str]


_NO_LOCAL = Feature("not receiving its own messages from a queue", OFF)
_RETROACTIVE = Feature("messages from before the subscription", OFF)
_REPLAY = "replay"
_NOTHING = frozenset({""})

#: By command and header, what is not done.
UNSUPPORTED: Mapping[str, Mapping[str, Feature]] = {
    "SUBSCRIBE": {
        "x-stream-filter": Feature("a filter of RabbitMQ's streams, in place of selector", _NOTHING),
    },
    "SUBSCRIBE of a queue": {
        "retroactive": _RETROACTIVE,
        "activemq.retroactive": _RETROACTIVE,
        "from-seq": Feature(_REPLAY, _NOTHING | {"-1"}),
        "from-time": Feature(_REPLAY, _NOTHING),
        "x-stream-offset": Feature(_REPLAY, _NOTHING | {"next"}),
        "no-local": _NO_LOCAL,
        "no_local": _NO_LOCAL,
        "activemq.noLocal": _NO_LOCAL,
    },
}


def refuse_unsupported(command: str, headers: Mapping[str, str], features: Mapping[str, Feature]) -> None:
    """Refuse a frame that asks for one of the features.

    Raises:
        UnsupportedHeader: It does; the error names the header.
    """
    for name, value in headers.items():
        if name in features and value.lower() not in features[name].harmless:
            raise UnsupportedHeader(
                f"{show(name, value)} on {command} asks for {features[name].name}, which this broker does not support."
                " Leave the header out if you can do without."
            )
