"""Messages whose body is a text."""

from __future__ import annotations

from typing import ClassVar

from jms_api.messages.message import Message
from jms_api.primitives import check_text


class TextMessage(Message):
    """A message whose body is a text, or null (JMS-083 to JMS-085)."""

    _body_type: ClassVar[type | None] = str

    def __init__(self, text: str | None = None) -> None:
        """Make a message.

        Raises:
            MessageFormatException: The text is none, or has a lone surrogate.
        """
        super().__init__()
        self._text = None if text is None else check_text(text)

    @property
    def text(self) -> str | None:
        """The text.

        Raises:
            MessageFormatException: It is set to something else, or to a text with a lone surrogate.
            MessageNotWriteableException: It is set in a received message.
        """
        return self._text

    @text.setter
    def text(self, text: str | None) -> None:
        self._check_body_writable()
        self._text = None if text is None else check_text(text)

    @property
    def body(self) -> str | None:
        """The text."""
        return self._text

    def clear_body(self) -> None:
        """Make the text null, and writable."""
        super().clear_body()
        self._text = None
