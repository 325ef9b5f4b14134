"""Whoever hands a role to a service must be allowed to: no operation takes a role without asking for iam:PassRole."""

import re
from collections.abc import Iterator

import pytest
from botocore.model import Shape

from homeport.engine.main import SERVICES
from homeport.engine.services.service import Service
from homeport.engine.wire import model

NOT_PASSED = {
    "application-autoscaling": {"RoleARN"},  # ECS is scaled by a service-linked role, whatever is named
    "codebuild": {
        "approverRoles",
        "fleetServiceRole",
        "resourceAccessRole",
    },  # compared with, refused, not used
    "ecr": {"customRoleArn"},  # not used
    "ecs": {
        "role",
        "serviceConnectConfiguration",
        "volumeConfigurations",
        "vpcLatticeConfigurations",
        "overrides",
    },
    "logs": {"roleArn"},  # Lambda functions take none: refused
    "secretsmanager": {"ExternalSecretRotationRoleArn"},  # rotation is refused
}
"""Parts of the names of members that no service gets to act as. ECS refuses those features, classic load balancers
among them, and looks at the roles of a task definition and its overrides itself."""
TAKERS = [service for service in SERVICES if service.name not in ("iam", "sts")]
"""The services whose roles are not what they are about."""
OF_TASK_SETS = "loadBalancers[].advancedConfiguration.roleArn"
"""A task set's listeners are CodeDeploy's or its maker's to change."""


@pytest.mark.parametrize("service", TAKERS, ids=lambda service: service.name)
def test_every_role_that_an_operation_takes_is_passed(service: Service) -> None:
    known = model.operations(service.name)
    taken = {
        f"{name} {member}"
        for name, operation in service.operations.items()
        if name in known
        for member in roles(known[name].input_shape)
        if member not in operation.pass_role
        and not NOT_PASSED.get(service.name, set()) & set(re.split(r"\W+", member))
        and (name, member) != ("create_task_set", OF_TASK_SETS)
    }
    assert taken == set()


def roles(shape: Shape | None, path: str = "", seen: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of the members that name roles, as `pass_role` has them."""
    if shape is None or shape.name in seen:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from roles(member, f"{path}.{name}" if path else name, (*seen, shape.name))
    elif shape.type_name == "list":
        yield from roles(shape.member, f"{path}[]", seen)
    elif shape.type_name == "string" and "role" in path.rpartition(".")[2].lower():
        yield path
