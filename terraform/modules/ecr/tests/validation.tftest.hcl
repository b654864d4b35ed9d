mock_provider "aws" {}

variables {
  project_name     = "shop"
  environment      = "dev"
  repository_names = ["api"]
}

run "texts" {
  command = plan
  variables {
    project_name     = "Shop"
    environment      = "dev-"
    repository_names = ["api", "api"]
  }
  expect_failures = [var.project_name, var.environment, var.repository_names]
}

run "choices" {
  command = plan
  variables {
    image_tag_mutability   = "SOMETIMES"
    encryption_type        = "ROT13"
    kms_key_arn            = "alias/ecr"
    registry_scanning_type = "DEEP"
  }
  expect_failures = [var.image_tag_mutability, var.encryption_type, var.kms_key_arn, var.registry_scanning_type]
}

run "numbers" {
  command = plan
  variables {
    max_image_count      = -1
    image_retention_days = -1
    max_untagged_images  = 1.5
  }
  expect_failures = [var.max_image_count, var.image_retention_days, var.max_untagged_images]
}

run "lists" {
  command = plan
  variables {
    tag_prefixes            = ["v", "v"]
    cross_account_ids       = ["12345"]
    pull_principal_arns     = ["*"]
    push_principal_arns     = ["arn:aws:s3:::bucket"]
    replication_regions     = ["Frankfurt"]
    public_repository_names = ["UI"]
  }
  expect_failures = [
    var.tag_prefixes, var.cross_account_ids, var.pull_principal_arns, var.push_principal_arns, var.replication_regions,
    var.public_repository_names,
  ]
}
