"""Functions in stacks, and the custom resources that they make."""

from __future__ import annotations

import json

from homeport.pytest_plugin import RunningEngine
from tests.cloudformation.test_stacks import Stack
from tests.lambda_.functions import call

ROLE = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]
"""
PYTHON = """
Parameters: {Color: {Type: String, Default: red}}
Resources:
  Maker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Timeout: 20
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          import cfnresponse
          def handler(event, context):
              print(event["RequestType"], event["ResourceProperties"]["Color"])
              asked = event["ResourceProperties"]["Color"]
              if asked == "black" and event["RequestType"] != "Delete":
                  cfnresponse.send(event, context, cfnresponse.FAILED, {}, reason="black is no color")
                  return
              cfnresponse.send(event, context, cfnresponse.SUCCESS, {"Paint": asked + " paint"}, "paint-1")
  Paint: {Type: Custom::Paint, Properties: {ServiceToken: !GetAtt Maker.Arn, Color: !Ref Color}}
Outputs: {Paint: {Value: !GetAtt Paint.Paint}, Id: {Value: !Ref Paint}, Maker: {Value: !Ref Maker}}
"""
NODE = """
Resources:
  Maker:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs20.x
      Handler: index.handler
      Timeout: 20
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          const response = require('cfn-response');
          exports.handler = (event, context) => {
            response.send(event, context, response.SUCCESS, { Paint: 'blue paint' }, 'paint-2');
          };
  Paint: {Type: Custom::Paint, Properties: {ServiceToken: !GetAtt Maker.Arn}}
Outputs: {Paint: {Value: !GetAtt Paint.Paint}}
"""
VERSIONED = """
Parameters: {Answer: {Type: String, Default: "1"}}
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: f
      Runtime: python3.15
      Handler: index.handler
      Role: !GetAtt Role.Arn
      ReservedConcurrentExecutions: 5
      Tags: [{Key: team, Value: shop}]
      Code: {ZipFile: !Sub "handler = lambda event, context: ${Answer}"}
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Function, FunctionVersion: !GetAtt Version.Version, Name: live}
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Alias
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceAccount: !Ref AWS::AccountId
  Quiet:
    Type: AWS::Lambda::EventInvokeConfig
    DependsOn: Alias
    Properties: {FunctionName: !Ref Function, Qualifier: live, MaximumRetryAttempts: 0}
"""
IAM = {"Capabilities": ["CAPABILITY_IAM"]}


def test_a_function_makes_changes_and_removes_a_custom_resource(engine: RunningEngine) -> None:
    stack = Stack(engine)
    stack.create(PYTHON.replace("Resources:", f"Resources:{ROLE}"), **IAM)
    assert (stack.outputs["Paint"], stack.outputs["Id"]) == ("red paint", "paint-1")

    def paint(color: str) -> dict[str, object]:
        return {**IAM, "Parameters": [{"ParameterKey": "Color", "ParameterValue": color}]}

    template = PYTHON.replace("Resources:", f"Resources:{ROLE}")
    stack.update(template, **paint("green"))
    assert stack.outputs["Paint"] == "green paint"
    stack.update(template, ok=False, **paint("black"))
    assert "Message returned: black is no color" in stack.reasons
    assert (stack.status, stack.outputs["Paint"]) == ("UPDATE_ROLLBACK_COMPLETE", "green paint")
    stack.delete()


def test_a_node_function_makes_a_custom_resource(engine: RunningEngine) -> None:
    stack = Stack(engine).create(NODE.replace("Resources:", f"Resources:{ROLE}"), **IAM)
    assert stack.outputs["Paint"] == "blue paint"


def test_versions_aliases_and_permissions_of_a_stack(engine: RunningEngine) -> None:
    template = VERSIONED.replace("Resources:", f"Resources:{ROLE}")
    stack = Stack(engine).create(template, **IAM)
    functions = engine.client("lambda")
    assert call(engine, name="f:live") == 1
    assert functions.get_function(FunctionName="f")["Tags"]["team"] == "shop"
    assert functions.get_function_concurrency(FunctionName="f")["ReservedConcurrentExecutions"] == 5
    policy = json.loads(functions.get_policy(FunctionName="f", Qualifier="live")["Policy"])
    assert policy["Statement"][0]["Resource"].endswith(":function:f:live")
    # the version is another resource whenever its logical id changes, as CDK has it
    changed = template.replace("Version:", "Version2:", 1).replace("!GetAtt Version.", "!GetAtt Version2.")
    stack.update(changed, Parameters=[{"ParameterKey": "Answer", "ParameterValue": "2"}], **IAM)
    assert (call(engine, name="f"), call(engine, name="f:live")) == (2, 2)
    assert functions.get_alias(FunctionName="f", Name="live")["FunctionVersion"] == "2"
    stack.delete()
    assert functions.list_functions()["Functions"] == []
