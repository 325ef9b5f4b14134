"""Two engines never stand for the same port."""

from __future__ import annotations

import socket

from homeport.engine.proxy.ports import Claims


def test_a_chosen_port_is_nobody_elses_until_it_is_bound(port: int) -> None:
    one, other = Claims(), Claims()
    assert one.choose(port) == port
    assert other.choose(port) != port
    assert one.choose(port) == port  # its own claim is no obstacle
    with socket.socket() as envoy:
        envoy.bind(("127.0.0.1", port))
        envoy.listen()
        one.release([port])
        assert other.choose(port) != port
    assert other.choose(port) == port
    one.release(list(one._held))
    other.release(list(other._held))


def test_a_taken_port_is_replaced() -> None:
    claims = Claims()
    with socket.socket() as web:
        web.bind(("127.0.0.1", 0))
        web.listen()
        taken = web.getsockname()[1]
        found = claims.choose(taken)
        assert found != taken and claims.claim(found) and not claims.claim(taken)
    claims.release([found])
