"""The types of the Code services: AWS::CodeBuild::*, AWS::CodeCommit::*, AWS::CodePipeline::*, connections."""

from homeport.engine.services.cloudformation.resources.calls import Call
from homeport.engine.services.cloudformation.resources.code_triggers import Triggers
from homeport.engine.services.cloudformation.resources.generic import Type
from homeport.engine.services.cloudformation.resources.parts import Noted, Put, Tags

_NAMED = "merge(properties, {Name: id})"
_STORES = (
    "properties.ArtifactStores && "
    "merge(properties, {ArtifactStores: properties.ArtifactStores[].{Key: Region, Value: ArtifactStore}})"
    " || properties"
)
_PIPELINE_ARN = "join(':', ['arn:aws:codepipeline', region, account, id])"


def _connection(type: str, service: str) -> Type:
    return Type(
        type,
        service,
        create=Call("create_connection", once=True),
        id="response.ConnectionArn",
        read=Call("get_connection", {"ConnectionArn": "id"}, only=True),
        found="Connection",
        parts=(
            Tags(
                Call("tag_resource", {"ResourceArn": "id", "Tags": "added"}, only=True),
                Call("untag_resource", {"ResourceArn": "id", "TagKeys": "removed"}, only=True),
            ),
        ),
        delete=Call("delete_connection", {"ConnectionArn": "id"}, only=True),
    )


TYPES = (
    Type(
        "AWS::CodeBuild::Project",
        "codebuild",
        named="Name",
        limit=150,
        create=Call("create_project"),
        id="name",
        read=Call("batch_get_projects", {"names": "[id]"}, only=True),
        found="projects[0]",
        attributes={"Id": "id"},
        parts=(
            Triggers(),
            Put(Call("update_project", {"name": "id"}), at_creation=False, ignore=()),
        ),
        delete=Call("delete_project", {"name": "id"}, only=True),
    ),
    Type(
        "AWS::CodeBuild::ReportGroup",
        "codebuild",
        named="Name",
        limit=128,
        create=Call("create_report_group"),
        id="join(':', ['arn:aws:codebuild', region, account, join('/', ['report-group', name])])",
        attributes={"Arn": "id"},
        parts=(
            Noted(("DeleteReports",)),
            Put(Call("update_report_group", {"arn": "id"}), at_creation=False, ignore=()),
        ),
        delete=Call(
            "delete_report_group",
            {"arn": "id", "deleteReports": "properties.DeleteReports || `false`"},
            only=True,
        ),
    ),
    Type(
        "AWS::CodeBuild::SourceCredential",
        "codebuild",
        create=Call("import_source_credentials"),
        id="response.arn",
        attributes={"Arn": "id"},
        parts=(Put(Call("import_source_credentials"), at_creation=False),),
        delete=Call("delete_source_credentials", {"arn": "id"}, only=True),
    ),
    Type(
        "AWS::CodeCommit::Repository",
        "codecommit",
        create=Call("create_repository"),
        id="response.repositoryMetadata.repositoryId",
        find=Call("get_repository", {"repositoryName": "properties.RepositoryName"}, only=True),
        found_ids="[response.repositoryMetadata.repositoryId]",
        read=Call("get_repository", {"repositoryName": "properties.RepositoryName"}, only=True),
        found="repositoryMetadata",
        attributes={"Name": "properties.RepositoryName"},
        parts=(
            Put(
                Call(
                    "update_repository_name",
                    {"oldName": "previous.RepositoryName", "newName": "properties.RepositoryName"},
                    only=True,
                ),
                ("RepositoryName",),
                at_creation=False,
            ),
            Put(
                Call(
                    "update_repository_description",
                    {"repositoryDescription": "properties.RepositoryDescription || ''"},
                ),
                ("RepositoryDescription",),
                at_creation=False,
            ),
            Put(Call("put_repository_triggers"), ("Triggers",)),
            Tags(
                Call("tag_resource", {"resourceArn": "attributes.Arn", "tags": "added"}, only=True),
                Call("untag_resource", {"resourceArn": "attributes.Arn", "tagKeys": "removed"}, only=True),
            ),
        ),
        delete=Call("delete_repository"),
    ),
    Type(
        "AWS::CodePipeline::Pipeline",
        "codepipeline",
        named="Name",
        limit=100,
        create=Call("create_pipeline", {"pipeline": _STORES}),
        id="name",
        read=Call("get_pipeline", {"name": "id"}, only=True),
        found="pipeline",
        attributes={"Version": "to_string(read.version)"},
        parts=(
            Tags(
                Call("tag_resource", {"resourceArn": _PIPELINE_ARN, "tags": "added"}, only=True),
                Call("untag_resource", {"resourceArn": _PIPELINE_ARN, "tagKeys": "removed"}, only=True),
            ),
            Put(
                Call("update_pipeline", {"pipeline": f"merge({_STORES}, {{Name: id}})"}, only=True),
                at_creation=False,
            ),
        ),
        delete=Call("delete_pipeline", {"name": "id"}, only=True),
    ),
    Type(
        "AWS::CodePipeline::Webhook",
        "codepipeline",
        named="Name",
        limit=100,
        create=Call("put_webhook", {"webhook": "properties"}),
        id="name",
        read=Call("list_webhooks", only=True),
        found="webhooks[].{name: definition.name, url: url}",
        attributes={"Url": "read[0].url", "Id": "id"},
        parts=(Put(Call("put_webhook", {"webhook": _NAMED}, only=True), at_creation=False),),
        delete=Call("delete_webhook", {"name": "id"}, only=True),
    ),
    _connection("AWS::CodeStarConnections::Connection", "codestar-connections"),
    _connection("AWS::CodeConnections::Connection", "codeconnections"),
)
