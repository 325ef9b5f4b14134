"""What CreateService refuses of strategies that shift traffic, and the steps that they take."""

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.ecs.deployments.listener_rules import weights
from homeport.engine.services.ecs.deployments.steps import steps
from tests.ecs.shifting import Shop, pause

TENTHS = st.integers(30, 1000).map(lambda tenths: tenths / 10)


REFUSED = {
    "multiple of 0.1": {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 0.05}},
    "between 3.0 and 100.0": {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 2.0}},
    "only be specified when the deployment strategy is LINEAR": {"linearConfiguration": {}},
    "between 0 and 1440": {"bakeTimeInMinutes": 1441},
    "Invalid lifecycle stage provided for Pause Hook": {
        "lifecycleHooks": [pause("PRODUCTION_TRAFFIC_SHIFT")]
    },
    "hookTargetArn is required": {"lifecycleHooks": [{"lifecycleStages": ["PRE_SCALE_UP"]}]},
    "hookDetails must be a JSON object": {
        "lifecycleHooks": [
            {
                "hookTargetArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "roleArn": "arn:aws:iam::123456789012:role/shift",
                "lifecycleStages": ["PRE_SCALE_UP"],
                "hookDetails": "[1]",
            }
        ]
    },
    "not for ROLLING": {"strategy": "ROLLING", "lifecycleHooks": [pause("PRE_SCALE_UP")]},
}
UNFIT = {
    "Must be RuleArn for ALB": {
        "productionListenerRule": "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/a"
    },
    "cannot be used as both production and test listener rules": {"testListenerRule": "production"},
    "Duplicate targetGroupArn found": {"alternateTargetGroupArn": "first"},
    "roleArn is required": {"roleArn": ""},
    "Rule '.*' not found": {"testListenerRule": "gone"},
}


def test_what_cannot_be_is_refused(engine):
    engine.client("ecs").create_cluster()
    shop = Shop(engine)
    definition = shop.define("true")
    for words, configuration in REFUSED.items():
        with pytest.raises(ClientError, match=words):
            _serve(shop, definition, shop.balanced(), configuration)
    known = {"production": shop.production, "first": shop.groups[0], "gone": shop.production + "0"}
    for words, advanced in UNFIT.items():
        balancers = shop.balanced(**{key: known.get(value, value) for key, value in advanced.items()})
        with pytest.raises(ClientError, match=words):
            _serve(shop, definition, balancers, {})
    simple = shop.balanced()
    del simple[0]["advancedConfiguration"]
    with pytest.raises(ClientError, match="advancedConfiguration field is required for all loadBalancers"):
        _serve(shop, definition, simple, {})


def _serve(shop, definition, balancers, configuration):
    configuration = {"strategy": "BLUE_GREEN", **configuration}
    shop.ecs.serve(definition, loadBalancers=balancers, deploymentConfiguration=configuration)


@given(TENTHS)
def test_linear_steps_are_equal_and_the_last_is_the_rest(percent: float):
    taken = steps(
        {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": percent, "stepBakeTimeInMinutes": 2}}
    )
    shares = [step.percent for step in taken]
    assert shares == sorted(set(shares)) and shares[-1] == 100.0
    assert all(abs(shares[at] - percent * (at + 1)) < 0.06 for at in range(len(shares) - 1))
    assert [step.bake for step in taken] == [120.0] * (len(taken) - 1) + [0.0]


@given(st.integers(1, 1000).map(lambda tenths: tenths / 10))
def test_canaries_take_one_step_to_the_canary_and_one_to_all(percent: float):
    taken = steps(
        {
            "strategy": "CANARY",
            "canaryConfiguration": {"canaryPercent": percent, "canaryBakeTimeInMinutes": 1},
        }
    )
    assert [step.percent for step in taken] == ([percent, 100.0] if percent < 100 else [100.0])


@given(st.integers(0, 1000).map(lambda tenths: tenths / 10))
def test_weights_are_exact_and_within_what_a_rule_takes(percent: float):
    green, blue = weights(percent)
    assert max(green, blue) <= 999
    assert abs(green / (green + blue) * 100 - percent) < 1e-9
