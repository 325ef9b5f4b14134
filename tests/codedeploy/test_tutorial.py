"""AWS's tutorial of blue/green deployments, with its own files by the aws cli: only ids and ARNs are filled in.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/create-blue-green.html"""

import contextlib
import http.client
import json
from pathlib import Path
from typing import Any

from homeport.pytest_plugin import RunningEngine
from tests.lambda_ import functions
from tests.waiting import until

TASK = r"""
{
    "family": "tutorial-task-def",
        "networkMode": "awsvpc",
        "containerDefinitions": [
            {
                "name": "sample-app",
                "image": "httpd:2.4",
                "portMappings": [
                    {
                        "containerPort": 80,
                        "hostPort": 80,
                        "protocol": "tcp"
                    }
                ],
                "essential": true,
                "entryPoint": [
                    "sh",
                    "-c"
                ],
                "command": [
                    "/bin/sh -c \"echo '<html> <head> <title>Amazon ECS Sample App</title> <style>body {margin-top: 40px; background-color: #333;} </style> </head><body> <div style=color:white;text-align:center> <h1>Amazon ECS Sample App</h1> <h2>Congratulations!</h2> <p>Your application is now running on a container in Amazon ECS.</p> </div></body></html>' >  /usr/local/apache2/htdocs/index.html && httpd-foreground\""
                ]
            }
        ],
        "requiresCompatibilities": [
            "FARGATE"
        ],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::aws_account_id:role/ecsTaskExecutionRole"
}
"""  # noqa: E501
SERVICE = """
{
    "cluster": "tutorial-bluegreen-cluster",
    "serviceName": "service-bluegreen",
    "taskDefinition": "tutorial-task-def",
    "loadBalancers": [
        {
            "targetGroupArn": "TARGET_GROUP",
            "containerName": "sample-app",
            "containerPort": 80
        }
    ],
    "launchType": "FARGATE",
    "schedulingStrategy": "REPLICA",
    "deploymentController": {
        "type": "CODE_DEPLOY"
    },
    "platformVersion": "LATEST",
    "networkConfiguration": {
       "awsvpcConfiguration": {
          "assignPublicIp": "ENABLED",
          "securityGroups": [ "sg-abcd1234" ],
          "subnets": [ "subnet-abcd1234", "subnet-abcd5678" ]
       }
    },
    "desiredCount": 1
}
"""
GROUP = """
{
   "applicationName": "tutorial-bluegreen-app",
   "autoRollbackConfiguration": {
      "enabled": true,
      "events": [ "DEPLOYMENT_FAILURE" ]
   },
   "blueGreenDeploymentConfiguration": {
      "deploymentReadyOption": {
         "actionOnTimeout": "CONTINUE_DEPLOYMENT",
         "waitTimeInMinutes": 0
      },
      "terminateBlueInstancesOnDeploymentSuccess": {
         "action": "TERMINATE",
         "terminationWaitTimeInMinutes": 5
      }
   },
   "deploymentGroupName": "tutorial-bluegreen-dg",
   "deploymentStyle": {
      "deploymentOption": "WITH_TRAFFIC_CONTROL",
      "deploymentType": "BLUE_GREEN"
   },
   "loadBalancerInfo": {
      "targetGroupPairInfoList": [
        {
          "targetGroups": [
             {
                 "name": "bluegreentarget1"
             },
             {
                 "name": "bluegreentarget2"
             }
          ],
          "prodTrafficRoute": {
              "listenerArns": [
                  "LISTENER"
              ]
          }
        }
      ]
   },
   "serviceRoleArn": "arn:aws:iam::aws_account_id:role/ecsCodeDeployRole",
   "ecsServices": [
       {
           "serviceName": "service-bluegreen",
           "clusterName": "tutorial-bluegreen-cluster"
       }
   ]
}
"""
APPSPEC = """
version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: "TASK_DEFINITION"
        LoadBalancerInfo:
          ContainerName: "sample-app"
          ContainerPort: 80
        PlatformVersion: "LATEST"
"""
DEPLOYMENT = """
{
    "applicationName": "tutorial-bluegreen-app",
    "deploymentGroupName": "tutorial-bluegreen-dg",
    "revision": {
        "revisionType": "S3",
        "s3Location": {
            "bucket": "tutorial-bluegreen-bucket",
            "key": "appspec.yaml",
            "bundleType": "YAML"
        }
    }
}
"""


def test_the_tutorial_of_blue_green_deployments(engine: RunningEngine, tmp_path: Path):
    functions.role(engine, "ecsTaskExecutionRole", "ecs-tasks.amazonaws.com")
    policy = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS"
    functions.role(engine, "ecsCodeDeployRole", "codedeploy.amazonaws.com", policy)

    def aws(*words: str) -> Any:
        told = engine.aws(*words).stdout
        return json.loads(told) if told.startswith("{") else told

    def file(name: str, text: str, **filled: str) -> str:
        for place, value in {"aws_account_id": engine.account, **filled}.items():
            text = text.replace(place, value)
        (tmp_path / name).write_text(text)
        return f"file://{tmp_path / name}"

    elbv2 = engine.client("elbv2")
    balancer = elbv2.create_load_balancer(Name="bluegreen-alb", Subnets=["subnet-1", "subnet-2"])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    groups = [target_group(elbv2, name) for name in ("bluegreentarget1", "bluegreentarget2")]
    forward = {"Type": "forward", "TargetGroupArn": groups[0]}
    made = elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[forward])
    listener = made["Listeners"][0]["ListenerArn"]
    engine.client("ecs").create_cluster(clusterName="tutorial-bluegreen-cluster")
    task = aws("ecs", "register-task-definition", "--cli-input-json", file("fargate-task.json", TASK))
    service = file("service-bluegreen.json", SERVICE, TARGET_GROUP=groups[0])
    aws("ecs", "create-service", "--cli-input-json", service)
    api = engine.client("codedeploy")
    api.create_application(applicationName="tutorial-bluegreen-app", computePlatform="ECS")
    group = file("tutorial-deployment-group.json", GROUP, LISTENER=listener)
    assert aws("deploy", "create-deployment-group", "--cli-input-json", group)["deploymentGroupId"]

    file("appspec.yaml", APPSPEC, TASK_DEFINITION=task["taskDefinition"]["taskDefinitionArn"])
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="tutorial-bluegreen-bucket")
    s3.upload_file(str(tmp_path / "appspec.yaml"), "tutorial-bluegreen-bucket", "appspec.yaml")
    deployment = file("create-deployment.json", DEPLOYMENT)
    id = aws("deploy", "create-deployment", "--cli-input-json", deployment)["deploymentId"]
    info = until(
        lambda: api.get_deployment(deploymentId=id)["deploymentInfo"],
        lambda info: info["instanceTerminationWaitTimeStarted"] or info["status"] == "Failed",
    )
    assert info["status"] == "InProgress", info
    api.continue_deployment(deploymentId=id, deploymentWaitType="TERMINATION_WAIT")
    aws("deploy", "wait", "deployment-successful", "--deployment-id", id)
    named = ("--target-id", "tutorial-bluegreen-cluster:service-bluegreen")
    target = aws("deploy", "get-deployment-target", "--deployment-id", id, *named)
    assert target["deploymentTarget"]["ecsTarget"]["status"] == "Succeeded"

    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port(elbv2, arn))) as connection:
        connection.request("GET", "/")
        assert b"<h2>Congratulations!</h2>" in connection.getresponse().read()


def target_group(elbv2: Any, name: str) -> str:
    made = elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, TargetType="ip", VpcId="vpc-1")
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def port(elbv2: Any, balancer: str) -> int:
    found = elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]
    return int({each["Key"]: each["Value"] for each in found}.get("homeport.port.80", "80"))
