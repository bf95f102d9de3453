"""The options of a link's socket."""

from __future__ import annotations

from twisted.internet.testing import StringTransport

from stompd.net.transport import set_socket_options
from tests.net.site import Site


def test_transport_that_is_no_tcp_is_left_alone() -> None:
    transport = StringTransport()

    set_socket_options(transport)  # type: ignore[arg-type]  # it is written to in vain

    assert transport.value() == b""


def test_options_are_those_of_the_transport_below_tls() -> None:
    below = Site().client().transport
    below.handle.options.clear()
    wrapper = Site().client().transport
    wrapper.handle.options.clear()
    wrapper.transport = below

    set_socket_options(wrapper)

    assert wrapper.handle.options == {}
    assert len(below.handle.options) == 3
