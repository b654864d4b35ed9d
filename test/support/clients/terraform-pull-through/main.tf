terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# A pull-through cache for each kind of upstream that Terraform can name: with a secret, with a role, with neither.

variable "endpoint" { type = string }
variable "upstream" { type = string }
variable "token" {
  type    = string
  default = "first"
}
variable "secret" {
  type    = string
  default = "one"
}

provider "aws" {
  region                  = "us-east-1"
  access_key              = "000000000000"
  secret_key              = "test"
  skip_metadata_api_check = true
  endpoints {
    ecr            = var.endpoint
    iam            = var.endpoint
    secretsmanager = var.endpoint
    sts            = var.endpoint
  }
}

resource "aws_secretsmanager_secret" "hub" {
  for_each                = toset(["one", "two"])
  name                    = "ecr-pullthroughcache/${each.key}"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "hub" {
  for_each      = aws_secretsmanager_secret.hub
  secret_id     = each.value.id
  secret_string = jsonencode({ username = "me", accessToken = var.token })
}

resource "aws_ecr_pull_through_cache_rule" "hub" {
  ecr_repository_prefix = "hub"
  upstream_registry_url = "registry-1.docker.io"
  credential_arn        = aws_secretsmanager_secret.hub[var.secret].arn
  depends_on            = [aws_secretsmanager_secret_version.hub]
}

resource "aws_ecr_pull_through_cache_rule" "quay" {
  ecr_repository_prefix      = "prom"
  upstream_registry_url      = "quay.io"
  upstream_repository_prefix = "prometheus"
}

resource "aws_ecr_pull_through_cache_rule" "near" {
  ecr_repository_prefix = "ROOT"
  upstream_registry_url = var.upstream
}

resource "aws_iam_role" "cache" {
  name = "cache"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "pullthroughcache.ecr.amazonaws.com" }
    }]
  })
}

resource "aws_ecr_pull_through_cache_rule" "other_account" {
  ecr_repository_prefix = "other"
  upstream_registry_url = "111111111111.dkr.ecr.eu-west-3.amazonaws.com"
  custom_role_arn       = aws_iam_role.cache.arn
}

resource "aws_ecr_repository_creation_template" "cache" {
  prefix      = "prom"
  applied_for = ["PULL_THROUGH_CACHE"]
}

data "aws_ecr_pull_through_cache_rule" "quay" {
  ecr_repository_prefix = aws_ecr_pull_through_cache_rule.quay.ecr_repository_prefix
}

output "found" {
  value = [data.aws_ecr_pull_through_cache_rule.quay.upstream_registry_url, data.aws_ecr_pull_through_cache_rule.quay.registry_id]
}
