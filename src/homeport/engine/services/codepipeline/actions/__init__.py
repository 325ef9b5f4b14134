"""The action providers that a pipeline can name, one a file.

https://docs.aws.amazon.com/codepipeline/latest/userguide/integrations-action-type.html
"""

from __future__ import annotations

from homeport.engine.services.codepipeline.actions import (
    approval,
    build_codebuild,
    build_ecr,
    compute_commands,
    deploy_cloudformation,
    deploy_codedeploy_ecs,
    deploy_ecs,
    deploy_s3,
    invoke_codepipeline,
    invoke_lambda,
    source_codecommit,
    source_connection,
    source_ecr,
    source_s3,
)
from homeport.engine.services.codepipeline.actions.contract import ActionProvider, ActionTypeId

PROVIDERS: dict[ActionTypeId, ActionProvider] = {
    provider.type: provider
    for provider in (
        source_codecommit.PROVIDER,
        source_connection.PROVIDER,
        source_ecr.PROVIDER,
        source_s3.PROVIDER,
        build_codebuild.BUILD,
        build_codebuild.TEST,
        build_ecr.PROVIDER,
        compute_commands.PROVIDER,
        deploy_cloudformation.PROVIDER,
        deploy_codedeploy_ecs.PROVIDER,
        deploy_ecs.PROVIDER,
        deploy_s3.PROVIDER,
        invoke_codepipeline.PROVIDER,
        invoke_lambda.PROVIDER,
        approval.PROVIDER,
    )
}
