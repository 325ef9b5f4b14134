"""What requests ask of IAM: actions and the ARNs of the resources, after the Service Authorization Reference."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from homeport.engine.services.iam.resources import Where, asks


@pytest.mark.parametrize(
    ("service", "operation", "request_members", "expected"),
    [
        (
            "ecs",
            "CreateService",
            {"cluster": "prod", "serviceName": "web", "taskDefinition": "web:3"},
            ["ecs:CreateService arn:aws:ecs:us-east-1:123456789012:service/prod/web"],
        ),
        (
            "ecs",
            "UpdateService",
            {"cluster": "arn:aws:ecs:us-east-1:123456789012:cluster/prod", "service": "web"},
            ["ecs:UpdateService arn:aws:ecs:us-east-1:123456789012:service/prod/web"],
        ),
        (
            "ecs",
            "DescribeServices",
            {"cluster": "prod", "services": ["a", "b"]},
            [
                "ecs:DescribeServices arn:aws:ecs:us-east-1:123456789012:service/prod/a",
                "ecs:DescribeServices arn:aws:ecs:us-east-1:123456789012:service/prod/b",
            ],
        ),
        (
            "ecs",
            "DescribeServices",
            {"services": ["arn:aws:ecs:us-east-1:123456789012:service/prod/web"]},
            ["ecs:DescribeServices arn:aws:ecs:us-east-1:123456789012:service/prod/web"],
        ),
        (
            "ecs",
            "RunTask",
            {"cluster": "prod", "taskDefinition": "web"},
            ["ecs:RunTask arn:aws:ecs:us-east-1:123456789012:task-definition/web:*"],
        ),
        (
            "ecs",
            "RunTask",
            {"cluster": "prod", "taskDefinition": "web:4"},
            ["ecs:RunTask arn:aws:ecs:us-east-1:123456789012:task-definition/web:4"],
        ),
        (
            "ecs",
            "StopTask",
            {"cluster": "c", "task": "abc"},
            ["ecs:StopTask arn:aws:ecs:us-east-1:123456789012:task/c/abc"],
        ),
        (
            "ecs",
            "CreateCluster",
            {"clusterName": "x"},
            ["ecs:CreateCluster arn:aws:ecs:us-east-1:123456789012:cluster/x"],
        ),
        (
            "ecs",
            "CreateCluster",
            {},
            ["ecs:CreateCluster arn:aws:ecs:us-east-1:123456789012:cluster/default"],
        ),
        ("ecs", "ListClusters", {}, ["ecs:ListClusters *"]),
        (
            "ecr",
            "PutImage",
            {"repositoryName": "team/app"},
            ["ecr:PutImage arn:aws:ecr:us-east-1:123456789012:repository/team/app"],
        ),
        ("ecr", "GetAuthorizationToken", {}, ["ecr:GetAuthorizationToken *"]),
        (
            "ecr",
            "DescribeRepositories",
            {},
            ["ecr:DescribeRepositories arn:aws:ecr:us-east-1:123456789012:repository/*"],
        ),
        (
            "ecr",
            "DescribeRepositories",
            {"repositoryNames": ["a", "b"]},
            [
                "ecr:DescribeRepositories arn:aws:ecr:us-east-1:123456789012:repository/a",
                "ecr:DescribeRepositories arn:aws:ecr:us-east-1:123456789012:repository/b",
            ],
        ),
        (
            "codepipeline",
            "GetPipeline",
            {"name": "p"},
            ["codepipeline:GetPipeline arn:aws:codepipeline:us-east-1:123456789012:p"],
        ),
        (
            "codepipeline",
            "CreatePipeline",
            {"pipeline": {"name": "p", "roleArn": "arn:aws:iam::1:role/r"}},
            ["codepipeline:CreatePipeline arn:aws:codepipeline:us-east-1:123456789012:p"],
        ),
        (
            "codepipeline",
            "PutApprovalResult",
            {
                "pipelineName": "p",
                "stageName": "s",
                "actionName": "a",
                "token": "t",
                "result": {"status": "Approved", "summary": "x"},
            },
            ["codepipeline:PutApprovalResult arn:aws:codepipeline:us-east-1:123456789012:p/s/a"],
        ),
        (
            "codepipeline",
            "StartPipelineExecution",
            {"name": "p"},
            ["codepipeline:StartPipelineExecution arn:aws:codepipeline:us-east-1:123456789012:p"],
        ),
        ("codepipeline", "ListPipelines", {}, ["codepipeline:ListPipelines *"]),
        (
            "codebuild",
            "StartBuild",
            {"projectName": "p"},
            ["codebuild:StartBuild arn:aws:codebuild:us-east-1:123456789012:project/p"],
        ),
        (
            "codebuild",
            "BatchGetBuilds",
            {"ids": ["p:uuid", "q:uuid"]},
            [
                "codebuild:BatchGetBuilds arn:aws:codebuild:us-east-1:123456789012:project/p",
                "codebuild:BatchGetBuilds arn:aws:codebuild:us-east-1:123456789012:project/q",
            ],
        ),
        (
            "codebuild",
            "CreateProject",
            {"name": "p", "source": {"type": "S3"}},
            ["codebuild:CreateProject arn:aws:codebuild:us-east-1:123456789012:project/p"],
        ),
        (
            "codebuild",
            "BatchGetProjects",
            {"names": ["a"]},
            ["codebuild:BatchGetProjects arn:aws:codebuild:us-east-1:123456789012:project/a"],
        ),
        (
            "codecommit",
            "GetBranch",
            {"repositoryName": "r", "branchName": "main"},
            ["codecommit:GetBranch arn:aws:codecommit:us-east-1:123456789012:r"],
        ),
        (
            "codedeploy",
            "CreateDeployment",
            {"applicationName": "a", "deploymentGroupName": "g"},
            ["codedeploy:CreateDeployment arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:a/g"],
        ),
        (
            "elbv2",
            "CreateLoadBalancer",
            {"Name": "lb", "Subnets": ["s-1"]},
            [
                "elasticloadbalancing:CreateLoadBalancer arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lb/*"
            ],
        ),
        (
            "elbv2",
            "CreateTargetGroup",
            {"Name": "tg"},
            [
                "elasticloadbalancing:CreateTargetGroup arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tg/*"
            ],
        ),
        (
            "elbv2",
            "ModifyListener",
            {"ListenerArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/1/2"},
            [
                "elasticloadbalancing:ModifyListener arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/lb/1/2"
            ],
        ),
        (
            "elbv2",
            "CreateListener",
            {"LoadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lb/1"},
            [
                "elasticloadbalancing:CreateListener arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/lb/1"
            ],
        ),
        ("elbv2", "DescribeLoadBalancers", {}, ["elasticloadbalancing:DescribeLoadBalancers *"]),
        (
            "elbv2",
            "DescribeTargetHealth",
            {"TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/tg/1"},
            ["elasticloadbalancing:DescribeTargetHealth *"],
        ),
        (
            "logs",
            "CreateLogGroup",
            {"logGroupName": "/ecs/x"},
            ["logs:CreateLogGroup arn:aws:logs:us-east-1:123456789012:log-group:/ecs/x:log-stream:"],
        ),
        (
            "logs",
            "CreateLogStream",
            {"logGroupName": "/ecs/x", "logStreamName": "s"},
            ["logs:CreateLogStream arn:aws:logs:us-east-1:123456789012:log-group:/ecs/x:log-stream:s"],
        ),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/ecs/x", "logStreamName": "a/b"},
            ["logs:PutLogEvents arn:aws:logs:us-east-1:123456789012:log-group:/ecs/x:log-stream:a/b"],
        ),
        ("logs", "DescribeLogGroups", {}, ["logs:DescribeLogGroups *"]),
        (
            "logs",
            "FilterLogEvents",
            {"logGroupName": "/ecs/x"},
            ["logs:FilterLogEvents arn:aws:logs:us-east-1:123456789012:log-group:/ecs/x:log-stream:"],
        ),
        (
            "logs",
            "FilterLogEvents",
            {"logGroupIdentifier": "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/x"},
            ["logs:FilterLogEvents arn:aws:logs:us-east-1:123456789012:log-group:/ecs/x:log-stream:"],
        ),
        (
            "logs",
            "PutRetentionPolicy",
            {"logGroupName": "/ecs/x", "retentionInDays": 3},
            ["logs:PutRetentionPolicy arn:aws:logs:us-east-1:123456789012:log-group:/ecs/x:log-stream:"],
        ),
        (
            "ssm",
            "GetParameter",
            {"Name": "/a/b:3"},
            ["ssm:GetParameter arn:aws:ssm:us-east-1:123456789012:parameter/a/b"],
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": ["/a/b", "c"]},
            [
                "ssm:GetParameters arn:aws:ssm:us-east-1:123456789012:parameter/a/b",
                "ssm:GetParameters arn:aws:ssm:us-east-1:123456789012:parameter/c",
            ],
        ),
        (
            "ssm",
            "GetParametersByPath",
            {"Path": "/a/"},
            ["ssm:GetParametersByPath arn:aws:ssm:us-east-1:123456789012:parameter/a/"],
        ),
        (
            "ssm",
            "PutParameter",
            {"Name": "x", "Value": "y"},
            ["ssm:PutParameter arn:aws:ssm:us-east-1:123456789012:parameter/x"],
        ),
        ("ssm", "DescribeParameters", {}, ["ssm:DescribeParameters *"]),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "db"},
            ["secretsmanager:GetSecretValue arn:aws:secretsmanager:us-east-1:123456789012:secret:db-??????"],
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"},
            ["secretsmanager:GetSecretValue arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"],
        ),
        (
            "secretsmanager",
            "CreateSecret",
            {"Name": "db"},
            ["secretsmanager:CreateSecret arn:aws:secretsmanager:us-east-1:123456789012:secret:db-??????"],
        ),
        ("secretsmanager", "ListSecrets", {}, ["secretsmanager:ListSecrets *"]),
        ("s3", "GetObject", {"Bucket": "b", "Key": "a/b c"}, ["s3:GetObject arn:aws:s3:::b/a/b c"]),
        (
            "s3",
            "GetObject",
            {"Bucket": "b", "Key": "a", "VersionId": "1"},
            ["s3:GetObjectVersion arn:aws:s3:::b/a"],
        ),
        ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "x"}, ["s3:ListBucket arn:aws:s3:::b"]),
        ("s3", "ListBuckets", {}, ["s3:ListAllMyBuckets *"]),
        (
            "s3",
            "CopyObject",
            {"Bucket": "b", "Key": "k", "CopySource": "/src/a%20b"},
            ["s3:PutObject arn:aws:s3:::b/k", "s3:GetObject arn:aws:s3:::src/a b"],
        ),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "1"}, {"Key": "2"}]}},
            ["s3:DeleteObject arn:aws:s3:::b/1", "s3:DeleteObject arn:aws:s3:::b/2"],
        ),
        (
            "s3",
            "PutBucketNotificationConfiguration",
            {"Bucket": "b"},
            ["s3:PutBucketNotification arn:aws:s3:::b"],
        ),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, ["s3:GetObject arn:aws:s3:::b/k"]),
        ("s3", "ListParts", {"Bucket": "b", "Key": "k"}, ["s3:ListMultipartUploadParts arn:aws:s3:::b/k"]),
        (
            "s3",
            "AbortMultipartUpload",
            {"Bucket": "b", "Key": "k"},
            ["s3:AbortMultipartUpload arn:aws:s3:::b/k"],
        ),
        ("s3", "CreateBucket", {"Bucket": "b"}, ["s3:CreateBucket arn:aws:s3:::b"]),
        ("s3", "GetBucketEncryption", {"Bucket": "b"}, ["s3:GetEncryptionConfiguration arn:aws:s3:::b"]),
        ("iam", "CreateRole", {"RoleName": "r"}, ["iam:CreateRole arn:aws:iam::123456789012:role/r"]),
        (
            "iam",
            "AttachRolePolicy",
            {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/X"},
            ["iam:AttachRolePolicy arn:aws:iam::123456789012:role/r"],
        ),
        ("iam", "GetUser", {}, ["iam:GetUser arn:aws:iam::123456789012:user/*"]),
        ("iam", "CreatePolicy", {"PolicyName": "p"}, ["iam:CreatePolicy arn:aws:iam::123456789012:policy/p"]),
        ("iam", "ListRoles", {}, ["iam:ListRoles *"]),
        (
            "iam",
            "GetPolicy",
            {"PolicyArn": "arn:aws:iam::123456789012:policy/x"},
            ["iam:GetPolicy arn:aws:iam::123456789012:policy/x"],
        ),
        (
            "iam",
            "AddRoleToInstanceProfile",
            {"RoleName": "r", "InstanceProfileName": "i"},
            ["iam:AddRoleToInstanceProfile arn:aws:iam::123456789012:instance-profile/i"],
        ),
        (
            "sts",
            "AssumeRole",
            {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "s"},
            ["sts:AssumeRole arn:aws:iam::123456789012:role/r"],
        ),
        ("sts", "GetCallerIdentity", {}, []),
        (
            "kms",
            "Decrypt",
            {"KeyId": "alias/x"},
            ["kms:Decrypt arn:aws:kms:us-east-1:123456789012:key/alias/x"],
        ),
        (
            "kms",
            "Decrypt",
            {"CiphertextBlob": b"1"},
            ["kms:Decrypt arn:aws:kms:us-east-1:123456789012:key/*"],
        ),
        ("kms", "Encrypt", {"KeyId": "abc"}, ["kms:Encrypt arn:aws:kms:us-east-1:123456789012:key/abc"]),
        (
            "kms",
            "CreateAlias",
            {"AliasName": "alias/x", "TargetKeyId": "abc"},
            [
                "kms:CreateAlias arn:aws:kms:us-east-1:123456789012:alias/x",
                "kms:CreateAlias arn:aws:kms:us-east-1:123456789012:key/abc",
            ],
        ),
        ("kms", "CreateKey", {}, ["kms:CreateKey *"]),
        ("events", "PutRule", {"Name": "r"}, ["events:PutRule arn:aws:events:us-east-1:123456789012:rule/r"]),
        (
            "events",
            "PutRule",
            {"Name": "r", "EventBusName": "b"},
            ["events:PutRule arn:aws:events:us-east-1:123456789012:rule/b/r"],
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"Source": "x"}]},
            ["events:PutEvents arn:aws:events:us-east-1:123456789012:event-bus/default"],
        ),
        (
            "sns",
            "Publish",
            {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t"},
            ["sns:Publish arn:aws:sns:us-east-1:123456789012:t"],
        ),
        ("sns", "CreateTopic", {"Name": "t"}, ["sns:CreateTopic arn:aws:sns:us-east-1:123456789012:t"]),
        (
            "cloudformation",
            "CreateStack",
            {"StackName": "s"},
            ["cloudformation:CreateStack arn:aws:cloudformation:us-east-1:123456789012:stack/s/*"],
        ),
        (
            "cloudformation",
            "DescribeStacks",
            {"StackName": "s"},
            ["cloudformation:DescribeStacks arn:aws:cloudformation:us-east-1:123456789012:stack/s/*"],
        ),
        ("cloudformation", "DescribeStacks", {}, ["cloudformation:DescribeStacks *"]),
        (
            "cloudformation",
            "CreateChangeSet",
            {"StackName": "s", "ChangeSetName": "c"},
            ["cloudformation:CreateChangeSet arn:aws:cloudformation:us-east-1:123456789012:stack/s/*"],
        ),
        ("cloudformation", "ValidateTemplate", {}, ["cloudformation:ValidateTemplate *"]),
        (
            "cloudwatch",
            "PutMetricAlarm",
            {"AlarmName": "a"},
            ["cloudwatch:PutMetricAlarm arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"],
        ),
        (
            "ec2",
            "RunInstances",
            {"ImageId": "ami-1"},
            [
                "ec2:RunInstances arn:aws:ec2:us-east-1::image/ami-1",
                "ec2:RunInstances arn:aws:ec2:us-east-1:123456789012:instance/*",
                "ec2:RunInstances arn:aws:ec2:us-east-1:123456789012:network-interface/*",
                "ec2:RunInstances arn:aws:ec2:us-east-1:123456789012:security-group/*",
                "ec2:RunInstances arn:aws:ec2:us-east-1:123456789012:subnet/*",
            ],
        ),
        (
            "ec2",
            "CreateSubnet",
            {"VpcId": "vpc-1"},
            [
                "ec2:CreateSubnet arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1",
                "ec2:CreateSubnet arn:aws:ec2:us-east-1:123456789012:subnet/*",
            ],
        ),
        (
            "dynamodb",
            "GetItem",
            {"TableName": "t"},
            ["dynamodb:GetItem arn:aws:dynamodb:us-east-1:123456789012:table/t"],
        ),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "http://x/123/q"},
            ["sqs:SendMessage arn:aws:sqs:us-east-1:123456789012:q"],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "f"},
            ["lambda:InvokeFunction arn:aws:lambda:us-east-1:123456789012:function:f"],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "123456789012:function:f", "Qualifier": "live"},
            ["lambda:InvokeFunction arn:aws:lambda:us-east-1:123456789012:function:f:live"],
        ),
        (
            "lambda",
            "GetFunction",
            {"FunctionName": "f:live"},
            ["lambda:GetFunction arn:aws:lambda:us-east-1:123456789012:function:f"],
        ),
        (
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:x"},
            ["states:StartExecution arn:aws:states:us-east-1:123456789012:stateMachine:x"],
        ),
        (
            "codestar-connections",
            "UseConnection",
            {"ConnectionArn": "arn:aws:codestar-connections:us-east-1:123456789012:connection/1"},
            [
                "codestar-connections:UseConnection arn:aws:codestar-connections:us-east-1:123456789012:connection/1"
            ],
        ),
    ],
)
def test_request_asks(service: str, operation: str, request_members: dict, expected: list[str]) -> None:
    found = asks(service, operation, request_members, Where("123456789012", "us-east-1"))

    assert [f"{one.action} {one.resource}" for one in found] == expected
