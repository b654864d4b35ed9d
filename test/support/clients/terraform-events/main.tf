terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# Rules and targets of EventBridge, so that a plan shows every difference.

variable "endpoint" { type = string }
variable "state" {
  type    = string
  default = "ENABLED"
}
variable "repository" {
  type    = string
  default = "prod/"
}

provider "aws" {
  region                  = "us-east-1"
  access_key              = "000000000000"
  secret_key              = "test"
  skip_metadata_api_check = true
  endpoints {
    events = var.endpoint
    sts    = var.endpoint
  }
  default_tags {
    tags = { managed-by = "terraform" }
  }
}

resource "aws_cloudwatch_event_rule" "pushes" {
  name        = "pushes"
  description = "what is pushed to production"
  state       = var.state
  event_pattern = jsonencode({
    source        = ["aws.ecr"]
    "detail-type" = ["ECR Image Action"]
    detail = {
      "action-type"     = ["PUSH"]
      "repository-name" = [{ prefix = var.repository }]
    }
  })
}

resource "aws_cloudwatch_event_target" "hook" {
  rule      = aws_cloudwatch_event_rule.pushes.name
  target_id = "hook"
  arn       = "arn:aws:ecru:us-east-1:000000000000:webhook/https://ci.example.com/hooks/pushed"
  input_transformer {
    input_paths    = { tag = "$.detail.image-tag" }
    input_template = "{\"tag\": <tag>}"
  }
  retry_policy {
    maximum_retry_attempts       = 5
    maximum_event_age_in_seconds = 600
  }
  http_target {
    header_parameters       = { x-team = "a" }
    query_string_parameters = { q = "1" }
  }
}

resource "aws_cloudwatch_event_target" "log" {
  rule      = aws_cloudwatch_event_rule.pushes.name
  target_id = "log"
  arn       = "arn:aws:ecru:us-east-1:000000000000:event-target/log"
  dead_letter_config {
    arn = "arn:aws:sqs:us-east-1:000000000000:dead"
  }
}
