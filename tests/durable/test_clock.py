"""The engine's clock, as fast as a test wants it."""

import time

from homeport.engine.durable.clock import Clock


def test_a_fast_clock_shortens_waits_but_never_makes_loops_spin():
    assert Clock(60).real(60) == 1.0
    assert Clock(1_000_000).real(5) == 0.02
    assert [Clock(1_000_000).real(none) for none in (0, -1)] == [0.0, 0.0]
    assert Clock().real(0.001) == 0.001


def test_a_fast_clock_that_is_made_again_goes_on():
    since = time.time() - 10
    made = [Clock(60, since).now() for _ in range(2)]
    assert since + 600 <= made[0] <= made[1] < since + 600 + 60
