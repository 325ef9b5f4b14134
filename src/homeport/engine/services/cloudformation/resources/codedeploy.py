"""CodeDeploy's types: AWS::CodeDeploy::*."""

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Put, Tags


def _tags(arn: str) -> Tags:
    return Tags(
        Call("tag_resource", {"ResourceArn": arn, "Tags": "added"}, only=True),
        Call("untag_resource", {"ResourceArn": arn, "TagKeys": "removed"}, only=True),
    )


_PREFIX = "'arn:aws:codedeploy:', region, ':', account"
_GROUP_ARN = f"join('', [{_PREFIX}, ':deploymentgroup:', properties.ApplicationName, '/', id])"

TYPES = (
    Type(
        "AWS::CodeDeploy::Application",
        "codedeploy",
        named="ApplicationName",
        limit=100,
        create=Call("create_application"),
        id="name",
        parts=(_tags(f"join('', [{_PREFIX}, ':application:', id])"),),
        delete=Call("delete_application", {"applicationName": "id"}, only=True),
    ),
    Type(
        "AWS::CodeDeploy::DeploymentConfig",
        "codedeploy",
        named="DeploymentConfigName",
        limit=100,
        create=Call("create_deployment_config"),
        id="name",
        delete=Call("delete_deployment_config", {"deploymentConfigName": "id"}, only=True),
    ),
    Type(
        "AWS::CodeDeploy::DeploymentGroup",
        "codedeploy",
        named="DeploymentGroupName",
        limit=100,
        create=Call("create_deployment_group"),
        id="name",
        parts=(
            _tags(_GROUP_ARN),
            Put(
                Call(
                    "update_deployment_group",
                    {
                        "currentDeploymentGroupName": "id",
                        "blueGreenDeploymentConfiguration": "properties.BlueGreenDeploymentConfiguration",
                    },
                ),
                at_creation=False,
            ),
        ),
        delete=Call("delete_deployment_group", {"deploymentGroupName": "id"}),
    ),
)
