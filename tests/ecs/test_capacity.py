"""Sharing tasks among capacity providers."""

from collections import Counter

from homeport.engine.services.ecs.capacity import choose


def shares(strategy, count):
    counts: Counter[str] = Counter()
    for _ in range(count):
        counts[choose(strategy, counts)] += 1
    return dict(counts)


def test_the_base_is_filled_first_and_weights_share_the_rest():
    strategy = [
        {"capacityProvider": "FARGATE", "base": 2, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    assert shares(strategy, 2) == {"FARGATE": 2}
    assert shares(strategy, 10) == {"FARGATE": 4, "FARGATE_SPOT": 6}


def test_a_provider_without_weight_gets_its_base_only():
    strategy = [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 0},
        {"capacityProvider": "FARGATE_SPOT", "weight": 1},
    ]
    assert shares(strategy, 5) == {"FARGATE": 1, "FARGATE_SPOT": 4}
