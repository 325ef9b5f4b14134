"""ECS blue/green deployments by a stack's update: the transform AWS::CodeDeployBlueGreen and its hook.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/blue-green.html
"""
