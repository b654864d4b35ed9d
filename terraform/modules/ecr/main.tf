data "aws_partition" "current" {}
data "aws_region" "current" {}

data "aws_caller_identity" "current" {
  count = length(var.replication_regions) > 0 ? 1 : 0
}

locals {
  name_prefix = "${var.project_name}-${var.environment}-"
  region      = data.aws_region.current.id # "id" is its name in every version of the provider
}

resource "aws_ecr_repository" "this" {
  for_each = toset(var.repository_names)

  name                 = "${local.name_prefix}${each.value}"
  image_tag_mutability = var.image_tag_mutability
  force_delete         = var.force_delete
  tags                 = var.tags

  image_scanning_configuration {
    scan_on_push = var.scan_on_push
  }

  encryption_configuration {
    encryption_type = var.encryption_type
    kms_key         = var.kms_key_arn
  }

  lifecycle {
    precondition {
      condition     = var.kms_key_arn == null || var.encryption_type == "KMS"
      error_message = "kms_key_arn goes with encryption_type KMS only."
    }
    precondition {
      condition     = length("${local.name_prefix}${each.value}") <= 256
      error_message = "A repository's name, {project_name}-{environment}-{name}, has at most 256 characters."
    }
  }
}

resource "aws_ecrpublic_repository" "this" {
  for_each = toset(var.public_repository_names)

  repository_name = "${local.name_prefix}${each.value}"
  force_destroy   = var.force_delete
  tags            = var.tags

  lifecycle {
    precondition {
      condition     = local.region == "us-east-1"
      error_message = "ECR Public is managed in us-east-1 only: give the module a provider for it, in an instance of its own where need be."
    }
    precondition {
      condition     = length("${local.name_prefix}${each.value}") <= 205
      error_message = "A public repository's name, {project_name}-{environment}-{name}, has at most 205 characters."
    }
  }
}
