from __future__ import annotations

import pytest

from stompd.wire.frame import Frame


def test_frames_with_equal_parts_are_equal():
    assert Frame("SEND", {"a": "1"}, b"x") == Frame("SEND", {"a": "1"}, b"x")


@pytest.mark.parametrize(
    "other", [Frame("ACK", {"a": "1"}, b"x"), Frame("SEND", {"a": "2"}, b"x"), Frame("SEND", {"a": "1"}, b"y"), "SEND"]
)
def test_frame_differs_from_what_differs_in_a_part(other):
    assert Frame("SEND", {"a": "1"}, b"x") != other


def test_repr_shows_neither_values_nor_body():
    frame = Frame("CONNECT", {"passcode": "s3cret"}, b"private")

    assert repr(frame) == "<Frame CONNECT headers=['passcode'] body=7 bytes>"
