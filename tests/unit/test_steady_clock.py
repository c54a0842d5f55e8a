"""A clock that was set is not relied on for a day."""

from __future__ import annotations

from service.core.steady_clock import JUMP_S, REST_S, SteadyClock


class Clocks:
    day_s, ticks_s = 1_000_000.0, 5.0

    def pass_s(self, seconds: float) -> None:
        self.day_s += seconds
        self.ticks_s += seconds

    def steady(self) -> SteadyClock:
        return SteadyClock(lambda: self.day_s, lambda: self.ticks_s)


def test_a_clock_that_runs_or_drifts_is_steady() -> None:
    clocks = Clocks()
    clock = clocks.steady()
    for _ in range(100):
        clocks.pass_s(3600)
        clocks.day_s += JUMP_S / 2
        assert clock.jump_s() == 0
        assert clock.is_steady()


def test_after_a_jump_it_rests_for_a_day() -> None:
    for jump in (365 * 86_400.0, -JUMP_S):
        clocks = Clocks()
        clock = clocks.steady()
        clocks.pass_s(60)
        clocks.day_s += jump
        assert clock.jump_s() == jump
        assert not clock.is_steady()
        clocks.pass_s(REST_S - 1)
        assert clock.jump_s() == 0
        assert not clock.is_steady()
        clocks.pass_s(1)
        assert clock.is_steady()
