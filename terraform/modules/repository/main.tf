resource "aws_ecr_repository" "this" {
  name                 = var.name
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
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.id # not known when the repository is replaced, so that the policy is put into the new one

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "keep the newest ${var.kept_versions} versions"
        selection = {
          tagStatus      = "tagged"
          tagPatternList = [var.version_tag_pattern]
          countType      = "imageCountMoreThan"
          countNumber    = var.kept_versions
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "expire untagged images after ${var.untagged_days} days"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = var.untagged_days
        }
        action = { type = "expire" }
      },
    ]
  })
}
