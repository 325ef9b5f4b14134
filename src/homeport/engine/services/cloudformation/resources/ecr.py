"""ECR's types: AWS::ECR::*."""

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Noted, Put, Tags

_KEY = {"repositoryName": "id"}
_ARN = {"resourceArn": "attributes.Arn"}

TYPES = (
    Type(
        "AWS::ECR::Repository",
        "ecr",
        named="RepositoryName",
        limit=256,
        lower=True,
        create=Call("create_repository"),
        id="name",
        read=Call("describe_repositories", {"repositoryNames": "[id]"}, only=True),
        found="repositories[0]",
        attributes={"Arn": "read.repositoryArn", "RepositoryUri": "read.repositoryUri"},
        parts=(
            Put(
                Call(
                    "put_lifecycle_policy",
                    {**_KEY, "lifecyclePolicyText": "properties.LifecyclePolicy.LifecyclePolicyText"},
                ),
                ("LifecyclePolicy",),
                unset=Call("delete_lifecycle_policy", _KEY, only=True),
            ),
            Put(
                Call("set_repository_policy", {**_KEY, "policyText": "properties.RepositoryPolicyText"}),
                ("RepositoryPolicyText",),
                unset=Call("delete_repository_policy", _KEY, only=True),
            ),
            Put(
                Call("put_image_tag_mutability", _KEY),
                ("ImageTagMutability", "ImageTagMutabilityExclusionFilters"),
                at_creation=False,
            ),
            Put(
                Call("put_image_scanning_configuration", _KEY),
                ("ImageScanningConfiguration",),
                at_creation=False,
            ),
            Tags(
                Call("tag_resource", {**_ARN, "tags": "added"}, only=True),
                Call("untag_resource", {**_ARN, "tagKeys": "removed"}, only=True),
            ),
            Noted(("EmptyOnDelete",)),
        ),
        delete=Call("delete_repository", {**_KEY, "force": "properties.EmptyOnDelete || `false`"}, only=True),
    ),
    Type(
        "AWS::ECR::RegistryPolicy",
        "ecr",
        create=Call("put_registry_policy", {"policyText": "properties.PolicyText"}),
        id="response.registryId",
        parts=(Put(Call("put_registry_policy", {"policyText": "properties.PolicyText"}), at_creation=False),),
        delete=Call("delete_registry_policy", only=True),
    ),
)
