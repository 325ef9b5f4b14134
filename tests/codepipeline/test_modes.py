"""Execution modes: a random schedule of starts, ends and transitions, played against the pure decisions."""

from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.codepipeline.modes import Enter, Position, Supersede, decide

STAGES = ["Build", "Deploy", "Source"]
ORDER = {"Source": "Build", "Build": "Deploy"}


class Play:
    """A pipeline of three stages whose actions end when the schedule says so."""

    def __init__(self, mode):
        self.mode, self.count, self.enabled = mode, 0, {}
        self.under_way, self.entered, self.ended = {}, [], {}

    def start(self):
        self.count += 1
        id = f"e{self.count}"
        self.under_way[id] = Position(id, self.count, "Source", True, self.mode)
        self.settle()

    def finish(self, choice, succeeded=True):
        running = [one for one in self.under_way.values() if not one.waiting]
        if running:
            one = running[choice % len(running)]
            if not succeeded or one.stage == "Deploy":
                del self.under_way[one.id]
                self.ended[one.id] = "Succeeded" if succeeded else "Failed"
            else:
                self.under_way[one.id] = Position(one.id, one.number, ORDER[one.stage], True, one.mode)
            self.settle()

    def switch(self, stage, enabled):
        self.enabled[stage] = enabled
        self.settle()

    def settle(self):
        while decisions := decide(self.under_way.values(), self.enabled):
            for decision in decisions:
                one = self.under_way[decision.id]
                assert one.waiting
                if isinstance(decision, Enter):
                    self.under_way[one.id] = Position(one.id, one.number, one.stage, False, one.mode)
                    self.entered.append((one.stage, one.id))
                else:
                    assert self.under_way[decision.by].number > one.number
                    del self.under_way[one.id]
                    self.ended[one.id] = "Superseded"
            self.check()

    def check(self):
        inside = [one.stage for one in self.under_way.values() if not one.waiting]
        assert self.mode == "PARALLEL" or len(inside) == len(set(inside)), (
            "a stage is locked by one execution"
        )
        assert len(self.entered) == len(set(self.entered)), "nobody runs in a stage twice"

    def drain(self):
        for stage in STAGES:
            self.switch(stage, True)
        while self.under_way:
            self.finish(0)


STEPS = st.lists(
    st.one_of(
        st.just(("start",)),
        st.tuples(st.just("finish"), st.integers(0, 9), st.booleans()),
        st.tuples(st.just("switch"), st.sampled_from(STAGES), st.booleans()),
    ),
    max_size=60,
)


def played(mode, steps):
    play = Play(mode)
    for name, *arguments in steps:
        getattr(play, name)(*arguments)
    return play


@given(STEPS)
def test_under_superseded_the_newest_wins_and_everyone_ends_once(steps):
    play = played("SUPERSEDED", steps)
    play.start()
    newest = f"e{play.count}"
    play.drain()
    assert play.ended[newest] == "Succeeded"
    assert set(play.ended) == {f"e{number}" for number in range(1, play.count + 1)}


@given(STEPS)
def test_under_superseded_at_most_one_execution_waits_before_each_stage(steps):
    play = played("SUPERSEDED", steps)
    waiting = [one.stage for one in play.under_way.values() if one.waiting]
    assert len(waiting) == len(set(waiting))


@given(STEPS)
def test_under_queued_all_run_in_order_and_none_is_superseded(steps):
    play = played("QUEUED", steps)
    play.drain()
    assert set(play.ended) == {f"e{number}" for number in range(1, play.count + 1)}
    assert "Superseded" not in play.ended.values()
    for stage in STAGES:
        numbers = [int(id[1:]) for where, id in play.entered if where == stage]
        assert numbers == sorted(numbers)


@given(STEPS)
def test_under_parallel_nobody_waits_for_another(steps):
    play = played("PARALLEL", steps)
    for one in play.under_way.values():
        assert not one.waiting or play.enabled.get(one.stage) is False
    play.drain()
    assert len(play.ended) == play.count and "Superseded" not in play.ended.values()


def test_a_disabled_transition_holds_the_newest_only():
    held = {"Deploy": False}
    waiting = [Position(f"e{n}", n, "Deploy", True, "SUPERSEDED") for n in (1, 2, 3)]
    assert decide(waiting, held) == [Supersede("e1", "e3"), Supersede("e2", "e3")]
    assert decide(waiting[2:], {}) == [Enter("e3", "Deploy")]
