terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# Alarms on what registries count.

variable "endpoint" { type = string }
variable "team" {
  type    = string
  default = "red"
}
variable "threshold" {
  type    = number
  default = 100
}

provider "aws" {
  region                  = "us-east-1"
  access_key              = "000000000000"
  secret_key              = "test"
  skip_metadata_api_check = true
  endpoints {
    cloudwatch = var.endpoint
    ecr        = var.endpoint
    iam        = var.endpoint
    sts        = var.endpoint
  }
  default_tags {
    tags = { managed-by = "terraform" }
  }
}

resource "aws_ecr_repository" "app" {
  name = "team/app"
}

resource "aws_cloudwatch_metric_alarm" "pulls" {
  alarm_name          = "many-pulls"
  alarm_description   = "pulls that ${var.team} looks at"
  namespace           = "AWS/ECR"
  metric_name         = "RepositoryPullCount"
  dimensions          = { RepositoryName = aws_ecr_repository.app.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = var.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = { team = var.team }

  alarm_actions             = ["arn:aws:sns:us-east-1:000000000000:${var.team}"]
  ok_actions                = ["arn:aws:ecru:us-east-1:000000000000:webhook/https://ci.example.com/calm"]
  insufficient_data_actions = []
}

# The part of all pulls that one repository has, in percent.
resource "aws_cloudwatch_metric_alarm" "share" {
  alarm_name          = "share-of-pulls"
  evaluation_periods  = 2
  threshold           = 50
  comparison_operator = "GreaterThanOrEqualToThreshold"
  alarm_actions       = ["arn:aws:sns:us-east-1:000000000000:ops"]

  metric_query {
    id          = "share"
    expression  = "IF(all > 0, 100 * app / all)"
    label       = "share of the pulls"
    return_data = true
  }
  metric_query {
    id         = "all"
    expression = "SUM(METRICS())"
  }
  dynamic "metric_query" {
    for_each = { app = "team/app", other = "team/other" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ECR"
        metric_name = "RepositoryPullCount"
        period      = 300
        stat        = "Sum"
        dimensions  = { RepositoryName = metric_query.value }
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "logins" {
  alarm_name          = "no-logins"
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "LessThanThreshold"

  metric_query {
    id          = "logins"
    return_data = true
    metric {
      namespace   = "AWS/Usage"
      metric_name = "CallCount"
      period      = 3600
      stat        = "Sum"
      dimensions = {
        Class    = "None"
        Resource = "GetAuthorizationToken"
        Service  = "ECR"
        Type     = "API"
      }
    }
  }
}

output "arn" {
  value = aws_cloudwatch_metric_alarm.pulls.arn
}
