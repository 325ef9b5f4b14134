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
    Type(
        "AWS::ECR::PullThroughCacheRule",
        "ecr",
        create=Call("create_pull_through_cache_rule"),
        id="properties.EcrRepositoryPrefix",
        delete=Call("delete_pull_through_cache_rule", {"ecrRepositoryPrefix": "id"}, only=True),
    ),
    Type(
        "AWS::ECR::RepositoryCreationTemplate",
        "ecr",
        create=Call("create_repository_creation_template"),
        id="properties.Prefix",
        read=Call("describe_repository_creation_templates", {"prefixes": "[id]"}, only=True),
        found="repositoryCreationTemplates[0]",
        parts=(Put(Call("update_repository_creation_template"), at_creation=False, ignore=()),),
        delete=Call("delete_repository_creation_template", {"prefix": "id"}, only=True),
    ),
    Type(
        "AWS::ECR::ReplicationConfiguration",
        "ecr",
        create=Call("put_replication_configuration"),
        id="account",
        attributes={"RegistryId": "id"},
        parts=(Put(Call("put_replication_configuration"), at_creation=False),),
        delete=Call(
            "put_replication_configuration", {"replicationConfiguration": "{Rules: `[]`}"}, only=True
        ),
    ),
    Type(
        "AWS::ECR::RegistryScanningConfiguration",
        "ecr",
        create=Call("put_registry_scanning_configuration"),
        id="account",
        attributes={"RegistryId": "id"},
        parts=(Put(Call("put_registry_scanning_configuration"), at_creation=False),),
        delete=Call(
            "put_registry_scanning_configuration", {"scanType": "'BASIC'", "rules": "`[]`"}, only=True
        ),
    ),
)
