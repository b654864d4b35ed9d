terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# The resources of KMS and Secrets Manager that Ecru answers, and a repository that is encrypted by such a key.

variable "endpoint" { type = string }
variable "team" {
  type    = string
  default = "red"
}
variable "rotates" {
  type    = bool
  default = true
}
variable "secret" {
  type    = string
  default = "first"
}

provider "aws" {
  region                  = "us-east-1"
  access_key              = "000000000000"
  secret_key              = "test"
  skip_metadata_api_check = true
  endpoints {
    ecr            = var.endpoint
    iam            = var.endpoint
    kms            = var.endpoint
    secretsmanager = var.endpoint
    sts            = var.endpoint
  }
  default_tags {
    tags = { managed-by = "terraform" }
  }
}

resource "aws_kms_key" "images" {
  description             = "images of ${var.team}"
  deletion_window_in_days = 7
  enable_key_rotation     = var.rotates
  tags                    = { team = var.team }
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::000000000000:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "images" {
  name          = "alias/images"
  target_key_id = aws_kms_key.images.key_id
}

resource "aws_kms_grant" "robot" {
  name              = "robot"
  key_id            = aws_kms_key.images.key_id
  grantee_principal = aws_iam_user.robot.arn
  operations        = ["Encrypt", "Decrypt"]
  constraints {
    encryption_context_subset = { app = "shop" }
  }
}

resource "aws_iam_user" "robot" {
  name = "robot"
}

resource "aws_kms_ciphertext" "greeting" {
  key_id    = aws_kms_key.images.key_id
  plaintext = "hello"
}

resource "aws_ecr_repository" "secret" {
  name         = "team/secret"
  force_delete = true
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.images.arn
  }
}

resource "aws_secretsmanager_secret" "upstream" {
  name                    = "ecr-pullthroughcache/hub"
  description             = "of ${var.team}"
  kms_key_id              = aws_kms_key.images.arn
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "upstream" {
  secret_id     = aws_secretsmanager_secret.upstream.id
  secret_string = jsonencode({ username = "me", accessToken = var.secret })
}

data "aws_kms_key" "images" {
  key_id     = "alias/images"
  depends_on = [aws_kms_alias.images]
}

data "aws_secretsmanager_secret_version" "upstream" {
  secret_id  = aws_secretsmanager_secret.upstream.id
  depends_on = [aws_secretsmanager_secret_version.upstream]
}

output "key_arn" { value = aws_kms_key.images.arn }
output "found_arn" { value = data.aws_kms_key.images.arn }
output "repository_key" { value = aws_ecr_repository.secret.encryption_configuration[0].kms_key }
output "secret" {
  value     = data.aws_secretsmanager_secret_version.upstream.secret_string
  sensitive = true
}
