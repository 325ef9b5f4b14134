"""The types whose drift can be told. One is an entry here."""

from __future__ import annotations

from homeport.engine.services.cloudformation.drift.reading import Reading
from homeport.engine.services.cloudformation.resources.calls import Call

_BUCKET = {"Bucket": "id"}
_ARN = "join('', ['arn:aws:{}:', region, ':', account, ':{}', id])"


def _call(operation: str, service: str = "", **members: str) -> Call:
    return Call(operation, members, service=service, only=True)


READINGS: dict[str, Reading] = {
    "AWS::CloudWatch::Alarm": Reading(
        "cloudwatch",
        _call("describe_alarms", AlarmNames="[id]"),
        "MetricAlarms[0]",
        properties=(
            *(
                "ActionsEnabled",
                "AlarmActions",
                "AlarmDescription",
                "ComparisonOperator",
                "DatapointsToAlarm",
            ),
            *(
                "Dimensions",
                "EvaluationPeriods",
                "ExtendedStatistic",
                "InsufficientDataActions",
                "MetricName",
            ),
            *(
                "Metrics",
                "Namespace",
                "OKActions",
                "Period",
                "Statistic",
                "Threshold",
                "TreatMissingData",
                "Unit",
            ),
        ),
    ),
    "AWS::CodeBuild::Project": Reading(
        "codebuild",
        _call("batch_get_projects", names="[id]"),
        "projects[0]",
        properties=(
            *("Artifacts", "Cache", "Description", "Environment", "LogsConfig", "QueuedTimeoutInMinutes"),
            *("ServiceRole", "Source", "SourceVersion", "TimeoutInMinutes", "VpcConfig"),
        ),
    ),
    "AWS::CodePipeline::Pipeline": Reading(
        "codepipeline",
        _call("get_pipeline", name="id"),
        "pipeline",
        properties=("ArtifactStore", "ExecutionMode", "PipelineType", "RoleArn", "Stages", "Variables"),
    ),
    "AWS::EC2::Subnet": Reading(
        "ec2",
        _call("describe_subnets", SubnetIds="[id]"),
        "Subnets[0]",
        properties=("AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"),
    ),
    "AWS::EC2::VPC": Reading(
        "ec2",
        _call("describe_vpcs", VpcIds="[id]"),
        "Vpcs[0]",
        properties=("CidrBlock", "InstanceTenancy", "Tags"),
    ),
    "AWS::ECR::Repository": Reading(
        "ecr",
        _call("describe_repositories", repositoryNames="[id]"),
        "repositories[0]",
        properties=("EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability"),
        further={
            "lifecycle": _call("get_lifecycle_policy", repositoryName="id"),
            "policy": _call("get_repository_policy", repositoryName="id"),
            "tags": _call("list_tags_for_resource", resourceArn="read.repositoryArn"),
        },
        members={
            "LifecyclePolicy": "lifecycle.{LifecyclePolicyText: lifecyclePolicyText}",
            "RepositoryPolicyText": "policy.policyText",
            "Tags": "tags.tags",
        },
    ),
    "AWS::ECS::Cluster": Reading(
        "ecs",
        _call("describe_clusters", clusters="[id]", include="['CONFIGURATIONS', 'SETTINGS', 'TAGS']"),
        "clusters[?status != 'INACTIVE'] | [0]",
        properties=("CapacityProviders", "Configuration", "DefaultCapacityProviderStrategy", "Tags"),
        members={"ClusterSettings": "read.settings"},
        partial=("ClusterSettings",),
    ),
    "AWS::ECS::Service": Reading(
        "ecs",
        _call("describe_services", services="[id]", cluster="properties.Cluster", include="['TAGS']"),
        "services[?status != 'INACTIVE'] | [0]",
        properties=(
            *("CapacityProviderStrategy", "DeploymentConfiguration", "DesiredCount", "EnableExecuteCommand"),
            *(
                "HealthCheckGracePeriodSeconds",
                "LoadBalancers",
                "NetworkConfiguration",
                "Tags",
                "TaskDefinition",
            ),
        ),
    ),
    "AWS::ECS::TaskDefinition": Reading(
        "ecs",
        _call("describe_task_definition", taskDefinition="id", include="['TAGS']"),
        "taskDefinition.status == 'ACTIVE' && taskDefinition || `null`",
        properties=(
            *("ContainerDefinitions", "Cpu", "ExecutionRoleArn", "Family", "Memory", "NetworkMode"),
            *("RequiresCompatibilities", "RuntimePlatform", "TaskRoleArn", "Volumes"),
        ),
    ),
    "AWS::ElasticLoadBalancingV2::Listener": Reading(
        "elbv2",
        _call("describe_listeners", ListenerArns="[id]"),
        "Listeners[0]",
        properties=("Certificates", "DefaultActions", "Port", "Protocol", "SslPolicy"),
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Reading(
        "elbv2",
        _call("describe_rules", RuleArns="[id]"),
        "Rules[0]",
        properties=("Actions", "Conditions", "Priority"),
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Reading(
        "elbv2",
        _call("describe_load_balancers", LoadBalancerArns="[id]"),
        "LoadBalancers[0]",
        properties=("IpAddressType", "Scheme", "SecurityGroups"),
        further={
            "attributes": _call("describe_load_balancer_attributes", LoadBalancerArn="id"),
            "tags": _call("describe_tags", ResourceArns="[id]"),
        },
        members={
            "LoadBalancerAttributes": "attributes.Attributes",
            "Subnets": "read.AvailabilityZones[].SubnetId",
            "Tags": "tags.TagDescriptions[0].Tags",
        },
        partial=("LoadBalancerAttributes",),
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Reading(
        "elbv2",
        _call("describe_target_groups", TargetGroupArns="[id]"),
        "TargetGroups[0]",
        properties=(
            *("HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckPath", "HealthCheckPort"),
            *("HealthCheckProtocol", "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "Matcher", "Port"),
            *("Protocol", "TargetType", "UnhealthyThresholdCount", "VpcId"),
        ),
        further={
            "attributes": _call("describe_target_group_attributes", TargetGroupArn="id"),
            "tags": _call("describe_tags", ResourceArns="[id]"),
        },
        members={
            "TargetGroupAttributes": "attributes.Attributes",
            "Tags": "tags.TagDescriptions[0].Tags",
        },
        partial=("TargetGroupAttributes",),
    ),
    "AWS::Events::Rule": Reading(
        "events",
        _call("describe_rule", Name="split(id, '|')[-1]", EventBusName="properties.EventBusName"),
        "{Name: Name, Description: Description, EventPattern: EventPattern, State: State, "
        "ScheduleExpression: ScheduleExpression, RoleArn: RoleArn}",
        properties=("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State"),
        further={
            "targets": _call(
                "list_targets_by_rule", Rule="read.Name", EventBusName="properties.EventBusName"
            ),
        },
        members={"Targets": "targets.Targets"},
    ),
    "AWS::IAM::ManagedPolicy": Reading(
        "iam",
        _call("get_policy", PolicyArn="id"),
        "Policy",
        properties=("Description", "Path"),
        further={
            "version": _call("get_policy_version", PolicyArn="id", VersionId="read.DefaultVersionId"),
        },
        members={"PolicyDocument": "version.PolicyVersion.Document"},
    ),
    "AWS::IAM::Role": Reading(
        "iam",
        _call("get_role", RoleName="id"),
        "Role",
        properties=("AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "Tags"),
        further={"attached": _call("list_attached_role_policies", RoleName="id")},
        members={
            "ManagedPolicyArns": "attached.AttachedPolicies[].PolicyArn",
            "PermissionsBoundary": "read.PermissionsBoundary.PermissionsBoundaryArn",
        },
    ),
    "AWS::KMS::Key": Reading(
        "kms",
        _call("describe_key", KeyId="id"),
        "KeyMetadata.DeletionDate == null && KeyMetadata || `null`",
        properties=("Description", "Enabled", "KeySpec", "KeyUsage"),
        further={
            "policy": _call("get_key_policy", KeyId="id", PolicyName="'default'"),
            "rotation": _call("get_key_rotation_status", KeyId="id"),
        },
        members={"KeyPolicy": "policy.Policy", "EnableKeyRotation": "rotation.KeyRotationEnabled"},
    ),
    "AWS::Lambda::Function": Reading(
        "lambda",
        _call("get_function_configuration", FunctionName="id"),
        "{Description: Description, Environment: Environment, Handler: Handler, MemorySize: MemorySize, Role: Role, "
        "Runtime: Runtime, Timeout: Timeout}",
        properties=("Description", "Environment", "Handler", "MemorySize", "Role", "Runtime", "Timeout"),
    ),
    "AWS::Logs::LogGroup": Reading(
        "logs",
        _call("describe_log_groups", logGroupNamePrefix="id"),
        "where(logGroups, 'logGroupName', id)[0]",
        properties=("LogGroupClass", "RetentionInDays"),
        further={"tags": _call("list_tags_for_resource", resourceArn=_ARN.format("logs", "log-group:"))},
        members={"Tags": "tags.tags"},
    ),
    "AWS::S3::Bucket": Reading(
        "s3",
        _call("get_bucket_versioning", **_BUCKET),
        "{Status: Status || 'Suspended'}",
        further={
            "encryption": _call("get_bucket_encryption", **_BUCKET),
            "ownership": _call("get_bucket_ownership_controls", **_BUCKET),
            "block": _call("get_public_access_block", **_BUCKET),
            "tags": _call("get_bucket_tagging", **_BUCKET),
        },
        members={
            "VersioningConfiguration": "{Status: read.Status}",
            "BucketEncryption": "{ServerSideEncryptionConfiguration: encryption.ServerSideEncryptionConfiguration"
            ".Rules[].{BucketKeyEnabled: BucketKeyEnabled, "
            "ServerSideEncryptionByDefault: ApplyServerSideEncryptionByDefault}}",
            "OwnershipControls": "ownership.OwnershipControls",
            "PublicAccessBlockConfiguration": "block.PublicAccessBlockConfiguration",
            "Tags": "tags.TagSet",
        },
    ),
    "AWS::S3::BucketPolicy": Reading(
        "s3",
        _call("get_bucket_policy", **_BUCKET),
        "{Policy: Policy}",
        members={"PolicyDocument": "read.Policy"},
    ),
    "AWS::SNS::Topic": Reading(
        "sns",
        _call("get_topic_attributes", TopicArn="id"),
        "Attributes",
        properties=(
            "ContentBasedDeduplication",
            "DisplayName",
            "FifoTopic",
            "KmsMasterKeyId",
            "SignatureVersion",
        ),
        further={"tags": _call("list_tags_for_resource", ResourceArn="id")},
        members={"Tags": "tags.Tags"},
    ),
    "AWS::SQS::Queue": Reading(
        "sqs",
        _call("get_queue_attributes", QueueUrl="id", AttributeNames="['All']"),
        "Attributes",
        properties=(
            *("DelaySeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod"),
            *("ReceiveMessageWaitTimeSeconds", "RedrivePolicy", "VisibilityTimeout"),
        ),
    ),
    "AWS::SSM::Parameter": Reading(
        "ssm",
        _call("get_parameter", Name="id"),
        "Parameter",
        properties=("DataType", "Type", "Value"),
        further={"tags": _call("list_tags_for_resource", ResourceType="'Parameter'", ResourceId="id")},
        members={"Tags": "tags.TagList"},
    ),
}
