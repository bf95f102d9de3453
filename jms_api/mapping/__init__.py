"""Messages to the headers and bodies of STOMP frames, and back: the only package that knows those headers.

Every property is a header of its own with the value as text, so that any client can read it; `jms-prop-types` says
which ones are not Strings. Everything else that only JMS knows is in headers that begin with `jms-`, which no property
can be called. What a client sends that knows nothing of all this is read as well as it can be.
"""

from jms_api.mapping.reading import from_frame
from jms_api.mapping.selection import is_selected, selector_value
from jms_api.mapping.spelling import destination_headers, read_destination, spell
from jms_api.mapping.writing import Stamp, needs_length, stamp, to_frame_parts

__all__ = [
    "Stamp",
    "destination_headers",
    "from_frame",
    "is_selected",
    "needs_length",
    "read_destination",
    "selector_value",
    "spell",
    "stamp",
    "to_frame_parts",
]
