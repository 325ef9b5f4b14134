"""Stack tags, which CloudFormation puts on every resource of the stack that can be tagged.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html
"""

from __future__ import annotations

from typing import Any

from homeport.engine.services.cloudformation.schemas import schema_of

_LEFT_OUT = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodePipeline::Webhook",
    "AWS::Events::EventBus",
}
"""Types whose tags homeport does not change after the creation: stack tags would make their updates fail."""


def with_stack_tags(type: str, properties: dict[str, Any], tags: list[dict[str, str]]) -> dict[str, Any]:
    """The properties with the stack's tags added; the resource's own win."""
    schema = schema_of(type)
    name = schema.tag_property if schema else None
    left_out = type in _LEFT_OUT or type.startswith("AWS::CloudFormation::")
    if not tags or schema is None or name is None or left_out:
        return properties
    own = properties.get(name)
    if schema.is_map(name):
        return {**properties, name: {tag["Key"]: tag["Value"] for tag in tags} | (own or {})}
    taken = {tag.get("Key") for tag in own or ()}
    return {**properties, name: [*(own or []), *(tag for tag in tags if tag["Key"] not in taken)]}
