# What others have made, read by data sources.

data "aws_ecs_cluster" "c" { cluster_name = aws_ecs_cluster.main.name }
data "aws_ecs_service" "s" {
  service_name = aws_ecs_service.app.name
  cluster_arn  = aws_ecs_cluster.main.arn
}
data "aws_ecs_task_definition" "t" { task_definition = aws_ecs_task_definition.app.family }
data "aws_lb" "l" { arn = aws_lb.main.arn }
data "aws_lb_listener" "l" { arn = aws_lb_listener.http.arn }
data "aws_lb_target_group" "t" { name = aws_lb_target_group.blue.name }
data "aws_ecr_repository" "r" { name = aws_ecr_repository.app.name }
data "aws_ecr_lifecycle_policy_document" "d" {
  rule {
    priority = 1
    selection {
      tag_status   = "any"
      count_type   = "imageCountMoreThan"
      count_number = 3
    }
  }
}
data "aws_ssm_parameter" "p" { name = aws_ssm_parameter.p.name }
data "aws_ssm_parameters_by_path" "p" {
  path       = "/app"
  depends_on = [aws_ssm_parameter.p]
}
data "aws_secretsmanager_secret_version" "s" { secret_id = aws_secretsmanager_secret_version.s.secret_id }
data "aws_iam_role" "r" { name = aws_iam_role.task.name }
data "aws_iam_policy" "p" { arn = aws_iam_policy.p.arn }
data "aws_vpc" "v" { id = aws_vpc.main.id }
data "aws_subnets" "s" {
  filter {
    name   = "vpc-id"
    values = [aws_vpc.main.id]
  }
}
data "aws_security_group" "g" { id = aws_security_group.app.id }
data "aws_vpc" "default" { default = true }
data "aws_s3_bucket" "b" { bucket = aws_s3_bucket.artifacts.id }
data "aws_s3_object" "o" {
  bucket = aws_s3_bucket.artifacts.id
  key    = aws_s3_object.o.key
}
data "aws_kms_key" "k" { key_id = aws_kms_alias.k.name }
data "aws_kms_alias" "k" { name = aws_kms_alias.k.name }
data "aws_codecommit_repository" "r" { repository_name = aws_codecommit_repository.app.repository_name }
data "aws_codestarconnections_connection" "c" { arn = aws_codestarconnections_connection.gh.arn }
data "aws_cloudwatch_log_group" "g" { name = aws_cloudwatch_log_group.app.name }
data "aws_sns_topic" "t" { name = aws_sns_topic.t.name }
data "aws_sqs_queue" "q" { name = aws_sqs_queue.q.name }
data "aws_lambda_function" "f" { function_name = aws_lambda_function.f.function_name }
data "aws_lambda_invocation" "i" {
  function_name = aws_lambda_function.f.function_name
  input         = jsonencode({ a = 1 })
}
data "aws_cloudformation_stack" "s" { name = aws_cloudformation_stack.st.name }
data "aws_elb_service_account" "main" {}
data "aws_default_tags" "d" {}
data "aws_ami" "al" {
  most_recent = true
  owners      = ["amazon"]
}
data "aws_ssm_parameter" "ecs_ami" { name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64" }
