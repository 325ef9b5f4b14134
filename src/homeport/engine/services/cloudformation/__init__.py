"""CloudFormation.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/Welcome.html
"""

from homeport.engine.services.cloudformation import callbacks
from homeport.engine.services.cloudformation.execution.kind import OPERATION
from homeport.engine.services.cloudformation.operations import (
    changesets,
    drift,
    policies,
    resources,
    stacks,
    templates,
)
from homeport.engine.services.service import Service

SERVICE = Service(
    "cloudformation",
    modules=(stacks, changesets, drift, resources, templates, policies),
    executions=(OPERATION,),
    mounts={callbacks.PREFIX: callbacks.mount},
)
