resource "aws_s3_bucket" "artifacts" {
  bucket_prefix = "artifacts-"
  force_destroy = true
  tags          = { word = var.word }
}
resource "aws_s3_bucket" "logs" {
  bucket        = "my-lb-logs"
  force_destroy = true
}
resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "arn:aws:iam::127311923021:root" }, Action = "s3:PutObject", Resource = "${aws_s3_bucket.logs.arn}/*" }] })
}
resource "aws_s3_bucket_versioning" "v" {
  bucket = aws_s3_bucket.artifacts.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_bucket_server_side_encryption_configuration" "e" {
  bucket = aws_s3_bucket.artifacts.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.k.arn
    }
    bucket_key_enabled = true
  }
}
resource "aws_s3_bucket_public_access_block" "p" {
  bucket                  = aws_s3_bucket.artifacts.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
resource "aws_s3_bucket_ownership_controls" "o" {
  bucket = aws_s3_bucket.artifacts.id
  rule { object_ownership = "BucketOwnerEnforced" }
}
resource "aws_s3_bucket_lifecycle_configuration" "l" {
  bucket = aws_s3_bucket.artifacts.id
  rule {
    id     = "old"
    status = "Enabled"
    filter {}
    expiration { days = 30 }
    noncurrent_version_expiration { noncurrent_days = 7 }
    abort_incomplete_multipart_upload { days_after_initiation = 1 }
  }
}
resource "aws_s3_bucket_cors_configuration" "c" {
  bucket = aws_s3_bucket.artifacts.id
  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["https://example.com"]
  }
}
resource "aws_s3_bucket_notification" "n" {
  bucket      = aws_s3_bucket.artifacts.id
  eventbridge = true
}
resource "aws_s3_bucket_acl" "a" {
  bucket     = aws_s3_bucket.logs.id
  acl        = "private"
  depends_on = [aws_s3_bucket_ownership_controls.logs]
}
resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id
  rule { object_ownership = "BucketOwnerPreferred" }
}
resource "aws_s3_object" "o" {
  bucket  = aws_s3_bucket.artifacts.id
  key     = "a/b.txt"
  content = var.word
  tags    = { a = "b" }
}
resource "aws_kms_key" "k" {
  description             = "k"
  enable_key_rotation     = true
  deletion_window_in_days = 7
}
resource "aws_kms_alias" "k" {
  name          = "alias/k"
  target_key_id = aws_kms_key.k.key_id
}
resource "aws_secretsmanager_secret" "s" {
  name_prefix             = "app-"
  kms_key_id              = aws_kms_key.k.arn
  recovery_window_in_days = 0
}
resource "aws_secretsmanager_secret_version" "s" {
  secret_id     = aws_secretsmanager_secret.s.id
  secret_string = jsonencode({ password = var.word })
}
resource "aws_secretsmanager_secret_policy" "s" {
  secret_arn = aws_secretsmanager_secret.s.arn
  policy     = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Action = "secretsmanager:GetSecretValue", Resource = "*" }] })
}
resource "aws_ssm_parameter" "p" {
  name  = "/app/p"
  type  = "SecureString"
  value = var.word
}
resource "aws_ssm_parameter" "plain" {
  name  = "/app/plain"
  type  = "String"
  value = var.word
  tags  = { a = "b" }
}
resource "aws_sns_topic" "t" { name = "t" }
resource "aws_sns_topic_policy" "t" {
  arn    = aws_sns_topic.t.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "e", Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sns:Publish", Resource = aws_sns_topic.t.arn }] })
}
resource "aws_sqs_queue" "q" { name = "q" }
resource "aws_sns_topic_subscription" "s" {
  topic_arn            = aws_sns_topic.t.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.q.arn
  raw_message_delivery = true
}
resource "aws_sqs_queue_policy" "q" {
  queue_url = aws_sqs_queue.q.id
  policy    = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "sns.amazonaws.com" }, Action = "sqs:SendMessage", Resource = aws_sqs_queue.q.arn }] })
}
resource "aws_dynamodb_table" "t" {
  name         = "t"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}
resource "aws_cloudwatch_metric_alarm" "a" {
  alarm_name          = "errors"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  metric_name         = "HTTPCode_Target_5XX_Count"
  namespace           = "AWS/ApplicationELB"
  period              = 60
  statistic           = "Sum"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.t.arn]
  dimensions          = { LoadBalancer = aws_lb.main.arn_suffix }
  tags                = { word = var.word }
}
resource "aws_cloudwatch_metric_alarm" "m" {
  alarm_name          = "math"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 2
  threshold           = 5
  metric_query {
    id          = "e"
    expression  = "m1*100"
    return_data = true
    label       = "x"
  }
  metric_query {
    id = "m1"
    metric {
      metric_name = "RequestCount"
      namespace   = "AWS/ApplicationELB"
      period      = 60
      stat        = "Sum"
    }
  }
}
resource "aws_cloudwatch_composite_alarm" "c" {
  alarm_name = "both"
  alarm_rule = "ALARM(${aws_cloudwatch_metric_alarm.a.alarm_name}) OR ALARM(${aws_cloudwatch_metric_alarm.m.alarm_name})"
}
resource "aws_cloudwatch_dashboard" "d" {
  dashboard_name = "d"
  dashboard_body = jsonencode({ widgets = [{ type = "text", x = 0, y = 0, width = 3, height = 3, properties = { markdown = var.word } }] })
}
resource "aws_cloudwatch_log_metric_filter" "f" {
  name           = "errors"
  pattern        = "ERROR"
  log_group_name = aws_cloudwatch_log_group.app.name
  metric_transformation {
    name      = "Errors"
    namespace = "App"
    value     = "1"
  }
}
resource "aws_cloudwatch_log_stream" "s" {
  name           = "s"
  log_group_name = aws_cloudwatch_log_group.app.name
}
resource "aws_cloudwatch_log_resource_policy" "p" {
  policy_name     = "p"
  policy_document = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "logs:PutLogEvents", Resource = "*" }] })
}
resource "aws_cloudwatch_event_bus" "b" { name = "app" }
resource "aws_cloudwatch_event_rule" "r" {
  name           = "r"
  event_bus_name = aws_cloudwatch_event_bus.b.name
  event_pattern  = jsonencode({ source = ["app"] })
  tags           = { word = var.word }
}
resource "aws_cloudwatch_event_target" "t" {
  rule           = aws_cloudwatch_event_rule.r.name
  event_bus_name = aws_cloudwatch_event_bus.b.name
  arn            = aws_sns_topic.t.arn
  input_transformer {
    input_paths    = { a = "$.detail.a" }
    input_template = "\"got <a>\""
  }
}
resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "nightly"
  schedule_expression = "rate(1 day)"
}
resource "aws_cloudwatch_event_target" "ecs" {
  rule     = aws_cloudwatch_event_rule.nightly.name
  arn      = aws_ecs_cluster.main.arn
  role_arn = aws_iam_role.task.arn
  ecs_target {
    task_definition_arn = aws_ecs_task_definition.app.arn
    launch_type         = "FARGATE"
    network_configuration { subnets = aws_subnet.private[*].id }
  }
}
resource "aws_cloudwatch_event_bus_policy" "p" {
  event_bus_name = aws_cloudwatch_event_bus.b.name
  policy         = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "a", Effect = "Allow", Principal = { AWS = "arn:aws:iam::123456789012:root" }, Action = "events:PutEvents", Resource = aws_cloudwatch_event_bus.b.arn }] })
}
resource "aws_scheduler_schedule" "s" {
  name                = "s"
  schedule_expression = "rate(1 hour)"
  flexible_time_window { mode = "OFF" }
  target {
    arn      = aws_sqs_queue.q.arn
    role_arn = aws_iam_role.task.arn
  }
}
resource "aws_cloudformation_stack" "st" {
  name          = "st"
  parameters    = { Word = var.word }
  template_body = jsonencode({ Parameters = { Word = { Type = "String" } }, Resources = { P = { Type = "AWS::SSM::Parameter", Properties = { Type = "String", Value = { Ref = "Word" } } } }, Outputs = { Name = { Value = { Ref = "P" } } } })
}
