"""The objects of ObjectMessages as octets: JSON, and pickles of classes that were named beforehand."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Iterable
from typing import Final, final

from jms_api.exceptions import MessageFormatException

JSON_TYPE: Final = "application/json"
PICKLE_TYPE: Final = "application/x-python-pickle"

#: What a malformed pickle raises, beside what the classes in it may raise themselves.
_PICKLE_FAULTS: Final = (
    *(pickle.UnpicklingError, ArithmeticError, AttributeError, EOFError, ImportError, LookupError),
    *(MemoryError, RecursionError, TypeError, ValueError),
)


@final
class ObjectCodec:
    """Turns objects into octets and back. Immutable, so any thread may use it.

    JMS-090: what JSON can say travels as JSON, readable to everybody. Anything else is refused, unless the classes in
    it are on the list of those that may be unpickled: a pickle can call what it can name, so nothing else is named.
    """

    __slots__ = ("_allowed",)

    def __init__(self, allowed_classes: Iterable[type] = ()) -> None:
        """Make a codec.

        Args:
            allowed_classes: Those that may be pickled and unpickled. Name none whose making has effects.
        """
        self._allowed = {(kind.__module__, kind.__qualname__): kind for kind in allowed_classes}

    def encode(self, value: object) -> tuple[str, bytes]:
        """Return a content type and the octets for an object.

        Raises:
            MessageFormatException: What came back from them would not be equal (JMS-087).
        """
        if (octets := _encode_json(value)) is not None:
            return JSON_TYPE, octets
        if self._allowed:
            try:
                octets = pickle.dumps(value, protocol=4)
            except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
                raise MessageFormatException(f"The object cannot be pickled: {error}.") from error
            self.decode(PICKLE_TYPE, octets)
            return PICKLE_TYPE, octets
        raise MessageFormatException(
            f"An object of the type {type(value).__name__} cannot be sent as it is: JSON has dict with texts as keys,"
            " list, str, int, float, bool and None. Convert it, or name its classes in allowed_classes; then it is"
            " pickled."
        )

    def decode(self, content_type: str, octets: bytes) -> object:
        """Return the object that octets stand for, a new one each time (JMS-086).

        Raises:
            MessageFormatException: They are malformed, of a content type that is not trusted, or name a class that is
                not allowed (JMS-088, JMS-090).
        """
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == JSON_TYPE:
            return decode_json(octets)
        if media_type == PICKLE_TYPE and self._allowed:
            return self._unpickle(octets)
        raise MessageFormatException(
            f"An object of the content type {content_type[:80]!r} is not decoded: only JSON is, and pickles of the"
            " classes named in allowed_classes."
        )

    def _unpickle(self, octets: bytes) -> object:
        try:
            return _Unpickler(octets, self._allowed).load()
        except _PICKLE_FAULTS as error:
            raise MessageFormatException(f"The pickle cannot be read: {type(error).__name__}.") from error


class _Unpickler(pickle.Unpickler):
    """Finds the allowed classes only."""

    def __init__(self, octets: bytes, allowed: dict[tuple[str, str], type]) -> None:
        super().__init__(io.BytesIO(octets))
        self._allowed = allowed

    def find_class(self, module_name: str, global_name: str) -> type:
        try:
            return self._allowed[module_name, global_name]
        except KeyError:
            raise MessageFormatException(
                f"The pickle names {module_name[:80]}.{global_name[:80]}, which is not in allowed_classes."
            ) from None


def dump_json(value: object) -> bytes:
    """Return JSON in UTF-8, without blanks.

    Raises:
        TypeError, ValueError, RecursionError: JSON cannot say it.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate can only stand within a string, where JSON spells it just so.
    return text.encode("utf-8", "backslashreplace")


def decode_json(octets: bytes) -> object:
    """Return what JSON stands for.

    Raises:
        MessageFormatException: It is none, or nested too deeply, or has NaN or Infinity, or a huge integer.
    """
    try:
        return json.loads(octets.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MessageFormatException(f"The body is no JSON: {str(error)[:100]}.") from error


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _encode_json(value: object) -> bytes | None:
    """Return an object as JSON; None if something else would come back, such as a list for a tuple."""
    try:
        octets = dump_json(value)
        return octets if bool(decode_json(octets) == value) else None
    except (TypeError, ValueError, RecursionError, MessageFormatException):
        return None
