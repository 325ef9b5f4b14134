resource "aws_codecommit_repository" "app" {
  repository_name = "app"
  description     = var.word
}
resource "aws_codestarconnections_connection" "gh" {
  name          = "gh"
  provider_type = "GitHub"
}
resource "aws_codebuild_project" "b" {
  name           = "build"
  service_role   = aws_iam_role.task.arn
  build_timeout  = 10
  source_version = "main"
  artifacts { type = "NO_ARTIFACTS" }
  environment {
    compute_type    = "BUILD_GENERAL1_SMALL"
    image           = "aws/codebuild/standard:7.0"
    type            = "LINUX_CONTAINER"
    privileged_mode = true
    environment_variable {
      name  = "A"
      value = var.word
    }
  }
  source {
    type      = "CODECOMMIT"
    location  = aws_codecommit_repository.app.clone_url_http
    buildspec = "version: 0.2\nphases: {build: {commands: [true]}}"
  }
  cache {
    type  = "LOCAL"
    modes = ["LOCAL_DOCKER_LAYER_CACHE"]
  }
  logs_config {
    cloudwatch_logs {
      group_name  = "/builds"
      stream_name = "b"
    }
  }
}
resource "aws_codebuild_project" "pipe" {
  name         = "pipe"
  service_role = aws_iam_role.task.arn
  artifacts { type = "CODEPIPELINE" }
  environment {
    compute_type = "BUILD_GENERAL1_SMALL"
    image        = "aws/codebuild/standard:7.0"
    type         = "LINUX_CONTAINER"
  }
  source { type = "CODEPIPELINE" }
  vpc_config {
    vpc_id             = aws_vpc.main.id
    subnets            = aws_subnet.private[*].id
    security_group_ids = [aws_security_group.app.id]
  }
}
resource "aws_codebuild_report_group" "r" {
  name = "reports"
  type = "TEST"
  export_config { type = "NO_EXPORT" }
  delete_reports = true
}
resource "aws_codebuild_source_credential" "c" {
  auth_type   = "PERSONAL_ACCESS_TOKEN"
  server_type = "GITHUB"
  token       = "xyz"
}
resource "aws_codebuild_project" "gh" {
  name         = "gh"
  service_role = aws_iam_role.task.arn
  artifacts { type = "NO_ARTIFACTS" }
  environment {
    compute_type = "BUILD_GENERAL1_SMALL"
    image        = "aws/codebuild/standard:7.0"
    type         = "LINUX_CONTAINER"
  }
  source {
    type            = "GITHUB"
    location        = "https://github.com/a/b.git"
    git_clone_depth = 1
  }
  depends_on = [aws_codebuild_source_credential.c]
}
resource "aws_codebuild_webhook" "w" {
  project_name = aws_codebuild_project.gh.name
  filter_group {
    filter {
      type    = "EVENT"
      pattern = "PUSH"
    }
  }
}
resource "aws_codedeploy_app" "a" {
  name             = "app"
  compute_platform = "ECS"
}
resource "aws_codedeploy_deployment_config" "c" {
  deployment_config_name = "canary"
  compute_platform       = "ECS"
  traffic_routing_config {
    type = "TimeBasedCanary"
    time_based_canary {
      interval   = 1
      percentage = 20
    }
  }
}
resource "aws_codedeploy_deployment_group" "g" {
  app_name               = aws_codedeploy_app.a.name
  deployment_group_name  = "g"
  service_role_arn       = aws_iam_role.task.arn
  deployment_config_name = aws_codedeploy_deployment_config.c.deployment_config_name
  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE"]
  }
  alarm_configuration {
    alarms  = [aws_cloudwatch_metric_alarm.a.alarm_name]
    enabled = true
  }
  blue_green_deployment_config {
    deployment_ready_option { action_on_timeout = "CONTINUE_DEPLOYMENT" }
    terminate_blue_instances_on_deployment_success {
      action                           = "TERMINATE"
      termination_wait_time_in_minutes = 1
    }
  }
  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = "BLUE_GREEN"
  }
  ecs_service {
    cluster_name = aws_ecs_cluster.main.name
    service_name = aws_ecs_service.cd.name
  }
  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route { listener_arns = [aws_lb_listener.http.arn] }
      target_group { name = aws_lb_target_group.blue.name }
      target_group { name = aws_lb_target_group.green.name }
    }
  }
}
resource "aws_codepipeline" "p" {
  name           = "p"
  role_arn       = aws_iam_role.task.arn
  pipeline_type  = "V2"
  execution_mode = "QUEUED"
  artifact_store {
    location = aws_s3_bucket.artifacts.bucket
    type     = "S3"
    encryption_key {
      id   = aws_kms_alias.k.arn
      type = "KMS"
    }
  }
  variable {
    name          = "tag"
    default_value = "x"
  }
  stage {
    name = "Source"
    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeCommit"
      version          = "1"
      output_artifacts = ["source"]
      namespace        = "src"
      configuration = {
        RepositoryName       = aws_codecommit_repository.app.repository_name
        BranchName           = "main"
        PollForSourceChanges = "false"
      }
    }
  }
  stage {
    name = "Build"
    on_failure {
      result = "ROLLBACK"
    }
    action {
      name             = "Build"
      category         = "Build"
      owner            = "AWS"
      provider         = "CodeBuild"
      version          = "1"
      input_artifacts  = ["source"]
      output_artifacts = ["build"]
      configuration    = { ProjectName = aws_codebuild_project.pipe.name }
    }
  }
  stage {
    name = "Approve"
    action {
      name          = "Approve"
      category      = "Approval"
      owner         = "AWS"
      provider      = "Manual"
      version       = "1"
      configuration = { NotificationArn = aws_sns_topic.t.arn, CustomData = var.word }
    }
  }
  stage {
    name = "Deploy"
    action {
      name            = "Deploy"
      category        = "Deploy"
      owner           = "AWS"
      provider        = "ECS"
      version         = "1"
      input_artifacts = ["build"]
      configuration   = { ClusterName = aws_ecs_cluster.main.name, ServiceName = aws_ecs_service.app.name, FileName = "imagedefinitions.json" }
    }
  }
}
resource "aws_lambda_function" "f" {
  function_name    = "f"
  role             = aws_iam_role.task.arn
  handler          = "index.handler"
  runtime          = "python3.11"
  filename         = "f.zip"
  source_code_hash = filebase64sha256("f.zip")
  publish          = true
  timeout          = 5
  environment { variables = { A = var.word } }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.app.name
  }
}
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.f.function_name
  function_version = aws_lambda_function.f.version
}
resource "aws_lambda_permission" "p" {
  statement_id  = "events"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.r.arn
}
resource "aws_lambda_function_event_invoke_config" "c" {
  function_name          = aws_lambda_function.f.function_name
  maximum_retry_attempts = 1
}
resource "aws_cloudwatch_log_subscription_filter" "s" {
  name            = "s"
  log_group_name  = aws_cloudwatch_log_group.app.name
  filter_pattern  = "ERROR"
  destination_arn = aws_lambda_function.f.arn
  depends_on      = [aws_lambda_permission.logs]
}
resource "aws_lambda_permission" "logs" {
  statement_id  = "logs"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal     = "logs.amazonaws.com"
}
resource "aws_lambda_runtime_management_config" "r" {
  function_name     = aws_lambda_function.f.function_name
  update_runtime_on = "Auto"
}
resource "aws_codeconnections_connection" "c" {
  name          = "cc"
  provider_type = "GitHub"
}
resource "aws_cloudwatch_log_group" "infrequent" {
  name            = "/infrequent"
  log_group_class = "INFREQUENT_ACCESS"
  skip_destroy    = false
}
