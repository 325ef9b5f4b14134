data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com", "codebuild.amazonaws.com", "codepipeline.amazonaws.com", "codedeploy.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com", "scheduler.amazonaws.com", "vpc-flow-logs.amazonaws.com", "ecs.amazonaws.com", "cloudformation.amazonaws.com"]
    }
  }
}
data "aws_iam_policy_document" "all" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
}
resource "aws_iam_role" "task" {
  name               = "task"
  assume_role_policy = data.aws_iam_policy_document.trust.json
  tags               = { a = "b" }
}
resource "aws_iam_role_policy" "task" {
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.all.json
}
resource "aws_iam_policy" "p" {
  name   = "deliver"
  policy = data.aws_iam_policy_document.all.json
}
resource "aws_iam_role_policy_attachment" "a" {
  role       = aws_iam_role.task.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_role_policy_attachment" "managed" {
  role       = aws_iam_role.task.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}
resource "aws_iam_role_policies_exclusive" "x" {
  role_name    = aws_iam_role.task.name
  policy_names = [aws_iam_role_policy.task.name]
}
resource "aws_iam_instance_profile" "ip" {
  name = "ip"
  role = aws_iam_role.task.name
}
resource "aws_iam_user" "ci" { name = "ci" }
resource "aws_iam_access_key" "ci" { user = aws_iam_user.ci.name }
resource "aws_iam_user_policy" "ci" {
  user   = aws_iam_user.ci.name
  policy = data.aws_iam_policy_document.all.json
}
resource "aws_iam_user_policy_attachment" "ci" {
  user       = aws_iam_user.ci.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_group" "g" { name = "g" }
resource "aws_iam_group_membership" "gm" {
  name  = "gm"
  users = [aws_iam_user.ci.name]
  group = aws_iam_group.g.name
}
resource "aws_iam_openid_connect_provider" "gh" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}
resource "aws_iam_service_linked_role" "ecs" { aws_service_name = "ecs.amazonaws.com" }
