"""Inside a stage: run orders, failures, stops and retries."""

from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.codepipeline.stages import Ended, Running, Start, kept_for_retry, next_step

ACTIONS = [{"name": "a", "runOrder": 1}, {"name": "b", "runOrder": 1}, {"name": "c", "runOrder": 2}]


def test_actions_of_one_run_order_start_together():
    assert next_step(ACTIONS, {}, stopping=False) == Start(("a", "b"))
    assert next_step(ACTIONS, {"a": "Succeeded", "b": "InProgress"}, stopping=False) == Running()
    assert next_step(ACTIONS, {"a": "Succeeded", "b": "Succeeded"}, stopping=False) == Start(("c",))


def test_after_a_failure_the_others_finish_and_nothing_starts():
    assert next_step(ACTIONS, {"a": "Failed", "b": "InProgress"}, stopping=False) == Running()
    assert next_step(ACTIONS, {"a": "Failed", "b": "Succeeded"}, stopping=False) == Ended("Failed")


def test_stop_and_wait_lets_what_runs_finish():
    assert next_step(ACTIONS, {"a": "Succeeded", "b": "InProgress"}, stopping=True) == Running()
    assert next_step(ACTIONS, {"a": "Succeeded", "b": "Succeeded"}, stopping=True) == Ended("Stopped")


def test_a_retry_keeps_what_succeeded_unless_all_actions_are_wanted():
    statuses = {"a": "Succeeded", "b": "Failed"}
    assert next_step(ACTIONS, kept_for_retry("FAILED_ACTIONS", statuses), stopping=False) == Start(("b",))
    assert next_step(ACTIONS, kept_for_retry("ALL_ACTIONS", statuses), stopping=False) == Start(("a", "b"))


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=8))
def test_a_stage_always_ends_and_runs_each_action_at_most_once(given_actions):
    actions = [{"name": str(i), "runOrder": order} for i, (order, _) in enumerate(given_actions)]
    statuses, started = {}, []
    while isinstance(step := next_step(actions, statuses, stopping=False), Start):
        started += step.actions
        statuses |= {name: "Succeeded" if given_actions[int(name)][1] else "Failed" for name in step.actions}
    failed = "Failed" in statuses.values()
    assert step == Ended("Failed" if failed else "Succeeded")
    assert len(started) == len(set(started)) and (failed or len(started) == len(actions))
