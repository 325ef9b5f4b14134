"""The rolling strategy as a game: whatever happens to tasks, the bounds hold and the new version wins."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.ecs.circuit_breaker import threshold
from homeport.engine.services.ecs.deployments.rolling import Bounds, View, bounds, plan


def test_percentages_round_as_aws_rounds_them():
    assert bounds(4, 50, 200) == Bounds(2, 8)
    assert bounds(3, 50, 150) == Bounds(2, 4)
    assert bounds(1, 100, 150) == Bounds(1, 1)


def test_the_breakers_threshold():
    enabled = {"enable": True, "rollback": True}
    assert [threshold(enabled, desired) for desired in (1, 25, 400, 800)] == [3, 13, 200, 200]
    count = {"thresholdConfiguration": {"type": "COUNT", "value": 1}}
    assert threshold(count, 100) == 1
    unbounded = {"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 10}}
    assert threshold(unbounded, 10) == 1


@dataclass
class World:
    """A service whose new tasks become healthy one after the other."""

    desired: int
    limits: Bounds
    tasks: dict[str, View] = field(default_factory=dict)
    made: int = 0

    def add(self, deployment: str, healthy: bool) -> None:
        self.made += 1
        name = f"{deployment}{self.made}"
        self.tasks[name] = View(name, deployment, healthy, healthy, False, float(self.made))

    def look(self, rolling: bool = True) -> bool:
        """One look of the scheduler; False when it had nothing to do."""
        moves = plan(self.desired, self.limits, "new", list(self.tasks.values()), rolling=rolling)
        for name in moves.stop:
            del self.tasks[name]
        for _ in range(moves.start):
            self.add("new", False)
        return bool(moves.stop or moves.start)

    @property
    def healthy(self) -> int:
        return sum(task.healthy for task in self.tasks.values())


percents = st.tuples(st.integers(0, 100), st.integers(100, 300)).filter(lambda pair: pair != (100, 100))


@given(st.integers(1, 20), percents, st.randoms(use_true_random=False))
def test_a_rollout_ends_and_never_leaves_the_bounds(desired, percent, random):
    limits = bounds(desired, *percent)
    if limits.lower >= desired and limits.upper <= desired:
        return  # AWS cannot move here either
    world = World(desired, limits)
    for _ in range(desired):
        world.add("old", True)
    for _ in range(50 * desired):
        worked = world.look()
        assert len(world.tasks) <= limits.upper
        assert world.healthy >= limits.lower
        waiting = [task for task in world.tasks.values() if not task.healthy]
        if waiting:
            task = random.choice(waiting)
            fate = random.choice(["healthy", "healthy", "failed"])
            healthy = fate == "healthy"
            world.tasks[task.id] = task._replace(running=True, healthy=healthy, unhealthy=not healthy)
        elif not worked:
            break
    assert {task.deployment for task in world.tasks.values()} == {"new"}
    assert len(world.tasks) == desired


@given(st.integers(1, 10), st.integers(1, 10))
def test_scaling_keeps_what_serves(before, after):
    world = World(after, bounds(after, 100, 200))
    for number in range(before):
        world.add("new", number % 2 == 0)
    healthy = world.healthy
    while world.look(rolling=False):
        pass
    assert len(world.tasks) == after
    assert world.healthy == min(healthy, after)


def test_an_unhealthy_task_of_a_steady_service_is_replaced_before_it_goes():
    world = World(2, bounds(2, 100, 200))
    world.add("new", True)
    world.add("new", True)
    sick = world.tasks["new2"] = world.tasks["new2"]._replace(healthy=False, unhealthy=True)
    assert world.look(rolling=False)
    assert sick.id in world.tasks and len(world.tasks) == 3
    world.tasks["new3"] = world.tasks["new3"]._replace(running=True, healthy=True)
    world.look(rolling=False)
    assert set(world.tasks) == {"new1", "new3"}


def test_a_failed_deployment_starts_nothing_and_takes_nothing_away():
    old = [View(f"old{number}", "old", True, True, False, 0.0) for number in range(2)]
    assert plan(2, bounds(2, 100, 200), "new", old, rolling=False, may_start=False) == (0, [])
