"""Capabilities: what a template does that its deployer must say yes to.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html#using-iam-capabilities
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from homeport.engine.services.cloudformation.template import Template
from homeport.engine.wire.errors import AwsError

_NAMES = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": None,
}


def needed_capabilities(template: Template) -> tuple[list[str], str]:
    """The IAM capabilities that a template needs, and the reason as ValidateTemplate tells it."""
    resources = template.section("Resources").values()
    iam = [item for item in resources if isinstance(item, dict) and item.get("Type") in _NAMES]
    if not iam:
        return [], ""
    types = sorted({item["Type"] for item in iam})
    named = any(_is_named(item) for item in iam)
    capability = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    return [capability], f"The following resource(s) require capabilities: [{', '.join(types)}]"


def check_capabilities(template: Template, given: Iterable[str], *, expand: bool) -> None:
    """Raise InsufficientCapabilitiesException for what is needed and not given."""
    granted = set(given)
    if "CAPABILITY_NAMED_IAM" in granted:
        granted.add("CAPABILITY_IAM")
    needed, _ = needed_capabilities(template)
    if expand and template.transforms:
        needed = [*needed, "CAPABILITY_AUTO_EXPAND"]
    missing = [capability for capability in needed if capability not in granted]
    if missing:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")


def _is_named(item: dict[str, Any]) -> bool:
    name = _NAMES[item["Type"]]
    return name is not None and name in (item.get("Properties") or {})
