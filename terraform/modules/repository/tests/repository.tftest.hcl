mock_provider "aws" {}

variables {
  name = "team/app"
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "Images are scanned on push."
  }
  assert {
    condition = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules[*].selection == [
      { tagStatus = "tagged", tagPatternList = ["v*"], countType = "imageCountMoreThan", countNumber = 30 },
      { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 },
    ]
    error_message = "The last 30 v* tags stay, untagged images go after 14 days."
  }
}

run "kms" {
  command = plan
  variables {
    encryption_type = "KMS"
  }

  assert {
    condition     = aws_ecr_repository.this.encryption_configuration[0].encryption_type == "KMS"
    error_message = "KMS works without a key of one's own."
  }
}

run "key_without_kms" {
  command = plan
  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
  }
  expect_failures = [aws_ecr_repository.this]
}

run "mistakes" {
  command = plan
  variables {
    name                 = "Team"
    image_tag_mutability = "SOMETIMES"
    encryption_type      = "ROT13"
    kms_key_arn          = "alias/ecr"
    version_tag_pattern  = "*a*b*c*d*"
    kept_versions        = 0
    untagged_days        = 0.5
  }
  expect_failures = [
    var.name, var.image_tag_mutability, var.encryption_type, var.kms_key_arn, var.version_tag_pattern, var.kept_versions,
    var.untagged_days,
  ]
}
