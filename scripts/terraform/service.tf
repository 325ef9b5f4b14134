resource "aws_ecr_repository" "app" {
  name                 = "app"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = true
  image_scanning_configuration { scan_on_push = true }
}
resource "aws_ecr_lifecycle_policy" "app" {
  repository = aws_ecr_repository.app.name
  policy     = jsonencode({ rules = [{ rulePriority = 1, description = "ten", selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }, action = { type = "expire" } }] })
}
resource "aws_ecr_repository_policy" "app" {
  repository = aws_ecr_repository.app.name
  policy     = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "pull", Effect = "Allow", Principal = { Service = "codebuild.amazonaws.com" }, Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] }] })
}
resource "aws_ecr_registry_policy" "r" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Sid = "r", Effect = "Allow", Principal = { AWS = "arn:aws:iam::111122223333:root" }, Action = ["ecr:ReplicateImage"], Resource = ["arn:aws:ecr:us-east-1:123456789012:repository/*"] }] })
}
resource "aws_ecr_registry_scanning_configuration" "s" {
  scan_type = "BASIC"
  rule {
    scan_frequency = "SCAN_ON_PUSH"
    repository_filter {
      filter      = "*"
      filter_type = "WILDCARD"
    }
  }
}
resource "aws_ecr_pull_through_cache_rule" "p" {
  ecr_repository_prefix = "ecr-public"
  upstream_registry_url = "public.ecr.aws"
}
resource "aws_ecr_repository_creation_template" "t" {
  prefix      = "made"
  applied_for = ["PULL_THROUGH_CACHE"]
}
data "aws_ecr_authorization_token" "t" {}
resource "aws_ecs_cluster" "main" {
  name = "main"
  setting {
    name  = "containerInsights"
    value = "disabled"
  }
  configuration {
    execute_command_configuration { logging = "DEFAULT" }
  }
}
resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
  default_capacity_provider_strategy {
    base              = 1
    weight            = 100
    capacity_provider = "FARGATE"
  }
}
resource "aws_cloudwatch_log_group" "app" {
  name              = "/app"
  retention_in_days = 7
}
resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.task.arn
  task_role_arn            = aws_iam_role.task.arn
  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }
  container_definitions = jsonencode([{
    name             = "app"
    image            = "nginx:stable"
    essential        = true
    portMappings     = [{ containerPort = 80, hostPort = 80, protocol = "tcp" }]
    environment      = [{ name = "A", value = "b" }]
    secrets          = [{ name = "S", valueFrom = aws_ssm_parameter.p.arn }]
    logConfiguration = { logDriver = "awslogs", options = { "awslogs-group" = aws_cloudwatch_log_group.app.name, "awslogs-region" = "us-east-1", "awslogs-stream-prefix" = "app" } }
  }])
}
resource "aws_ecs_service" "app" {
  name                              = "app"
  cluster                           = aws_ecs_cluster.main.id
  task_definition                   = aws_ecs_task_definition.app.arn
  desired_count                     = 1
  launch_type                       = "FARGATE"
  enable_execute_command            = true
  health_check_grace_period_seconds = 10
  propagate_tags                    = "SERVICE"
  wait_for_steady_state             = true
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets          = aws_subnet.private[*].id
    security_groups  = [aws_security_group.app.id]
    assign_public_ip = false
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "app"
    container_port   = 80
  }
  service_registries { registry_arn = aws_service_discovery_service.app.arn }
  depends_on = [aws_lb_listener.http]
  tags       = { word = var.word }
}
resource "aws_ecs_service" "cd" {
  name            = "cd"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.app.arn
  desired_count   = 0
  launch_type     = "FARGATE"
  deployment_controller { type = "CODE_DEPLOY" }
  network_configuration { subnets = aws_subnet.private[*].id }
  load_balancer {
    target_group_arn = aws_lb_target_group.green.arn
    container_name   = "app"
    container_port   = 80
  }
  depends_on = [aws_lb_listener.http, aws_lb_listener_rule.r]
}
resource "aws_ecs_account_setting_default" "s" {
  name  = "containerInsights"
  value = "disabled"
}
resource "aws_lb" "main" {
  name               = "main"
  load_balancer_type = "application"
  security_groups    = [aws_security_group.lb.id]
  subnets            = aws_subnet.public[*].id
  idle_timeout       = 120
  access_logs {
    bucket  = aws_s3_bucket.logs.id
    prefix  = "lb"
    enabled = true
  }
  depends_on = [aws_s3_bucket_policy.logs]
}
resource "aws_lb_target_group" "blue" {
  name                 = "blue"
  port                 = 80
  protocol             = "HTTP"
  vpc_id               = aws_vpc.main.id
  target_type          = "ip"
  deregistration_delay = 5
  health_check {
    path                = "/"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
    matcher             = "200-399"
  }
  stickiness {
    type    = "lb_cookie"
    enabled = false
  }
}
resource "aws_lb_target_group" "green" {
  name        = "green"
  port        = 80
  protocol    = "HTTP"
  vpc_id      = aws_vpc.main.id
  target_type = "ip"
}
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.blue.arn
  }
}
resource "aws_lb_listener_rule" "r" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 10
  action {
    type = "forward"
    forward {
      target_group {
        arn    = aws_lb_target_group.blue.arn
        weight = 0
      }
      target_group {
        arn    = aws_lb_target_group.green.arn
        weight = 100
      }
    }
  }
  condition {
    path_pattern { values = ["/green/*"] }
  }
  condition {
    http_header {
      http_header_name = "X-A"
      values           = ["b"]
    }
  }
}
resource "aws_lb_listener_rule" "fixed" {
  listener_arn = aws_lb_listener.http.arn
  action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = var.word
      status_code  = "200"
    }
  }
  condition {
    host_header { values = ["a.example.com"] }
  }
}
resource "aws_acm_certificate" "c" {
  domain_name       = "app.example.com"
  validation_method = "DNS"
  lifecycle { create_before_destroy = true }
}
resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.main.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate.c.arn
  default_action {
    type = "redirect"
    redirect {
      port        = "80"
      protocol    = "HTTP"
      status_code = "HTTP_302"
    }
  }
}
resource "aws_appautoscaling_target" "t" {
  max_capacity       = 3
  min_capacity       = 1
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.app.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  service_namespace  = "ecs"
}
resource "aws_appautoscaling_policy" "p" {
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.t.resource_id
  scalable_dimension = aws_appautoscaling_target.t.scalable_dimension
  service_namespace  = aws_appautoscaling_target.t.service_namespace
  target_tracking_scaling_policy_configuration {
    predefined_metric_specification { predefined_metric_type = "ECSServiceAverageCPUUtilization" }
    target_value = 60
  }
}
resource "aws_appautoscaling_policy" "step" {
  name               = "step"
  policy_type        = "StepScaling"
  resource_id        = aws_appautoscaling_target.t.resource_id
  scalable_dimension = aws_appautoscaling_target.t.scalable_dimension
  service_namespace  = aws_appautoscaling_target.t.service_namespace
  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 60
    metric_aggregation_type = "Maximum"
    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}
resource "aws_appautoscaling_scheduled_action" "s" {
  name               = "night"
  service_namespace  = aws_appautoscaling_target.t.service_namespace
  resource_id        = aws_appautoscaling_target.t.resource_id
  scalable_dimension = aws_appautoscaling_target.t.scalable_dimension
  schedule           = "cron(0 22 * * ? *)"
  scalable_target_action {
    min_capacity = 1
    max_capacity = 1
  }
}
resource "aws_service_discovery_private_dns_namespace" "ns" {
  name = "app.local"
  vpc  = aws_vpc.main.id
}
resource "aws_service_discovery_service" "app" {
  name = "app"
  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.ns.id
    dns_records {
      ttl  = 10
      type = "A"
    }
    routing_policy = "MULTIVALUE"
  }
  health_check_custom_config { failure_threshold = 1 }
}
resource "aws_route53_zone" "z" { name = "example.com" }
resource "aws_route53_record" "r" {
  zone_id = aws_route53_zone.z.zone_id
  name    = "app.example.com"
  type    = "A"
  alias {
    name                   = aws_lb.main.dns_name
    zone_id                = aws_lb.main.zone_id
    evaluate_target_health = true
  }
}
resource "aws_ecs_task_set" "ts" {
  service         = aws_ecs_service.ext.id
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.app.arn
  launch_type     = "FARGATE"
  scale { value = 0 }
  network_configuration { subnets = aws_subnet.private[*].id }
}
resource "aws_ecs_service" "ext" {
  name          = "ext"
  cluster       = aws_ecs_cluster.main.id
  desired_count = 0
  deployment_controller { type = "EXTERNAL" }
}
resource "aws_ecs_service" "bg" {
  name            = "bg"
  cluster         = aws_ecs_cluster.main.id
  task_definition = aws_ecs_task_definition.app.arn
  desired_count   = 0
  launch_type     = "FARGATE"
  network_configuration { subnets = aws_subnet.private[*].id }
  alarms {
    enable      = true
    rollback    = true
    alarm_names = [aws_cloudwatch_metric_alarm.a.alarm_name]
  }
  force_new_deployment = true
  triggers             = { a = var.word }
}
resource "aws_lb_listener_certificate" "c" {
  listener_arn    = aws_lb_listener.https.arn
  certificate_arn = aws_acm_certificate.d.arn
}
resource "aws_acm_certificate" "d" {
  domain_name       = "b.example.com"
  validation_method = "DNS"
}
resource "aws_ecr_replication_configuration" "r" {
  replication_configuration {
    rule {
      destination {
        region      = "us-west-2"
        registry_id = data.aws_caller_identity.me.account_id
      }
    }
  }
}
resource "aws_ecr_account_setting" "s" {
  name  = "BASIC_SCAN_TYPE_VERSION"
  value = "AWS_NATIVE"
}
