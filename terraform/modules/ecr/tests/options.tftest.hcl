# Plans with a mocked provider: what the inputs make of lifecycle rules and of the options that need other services.
mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "us-east-1", name = "us-east-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "000000000000" }
  }
}

variables {
  project_name     = "shop"
  environment      = "dev"
  repository_names = ["api"]
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this["api"].name == "shop-dev-api"
    error_message = "The name is {project_name}-{environment}-{name}."
  }
  assert {
    condition = jsondecode(aws_ecr_lifecycle_policy.this["api"].policy).rules == [
      {
        rulePriority = 1
        description  = "keep the newest 30 tagged images"
        selection    = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 30 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "expire untagged images after a day"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 1 }
        action       = { type = "expire" }
      },
    ]
    error_message = "Tagged images are counted, untagged ones expire after a day."
  }
  assert {
    condition     = length(aws_ecr_repository_policy.this) + length(aws_ecr_replication_configuration.this) + length(aws_ecr_registry_scanning_configuration.this) + length(aws_ecrpublic_repository.this) == 0
    error_message = "Everything else is off."
  }
}

run "every_rule" {
  command = plan
  variables {
    tag_prefixes         = ["v", "release-"]
    max_image_count      = 10
    image_retention_days = 60
    max_untagged_images  = 3
  }

  assert {
    condition = [
      for rule in jsondecode(aws_ecr_lifecycle_policy.this["api"].policy).rules :
      join(" ", concat([rule.rulePriority, rule.selection.tagStatus], try(rule.selection.tagPrefixList, []), [rule.selection.countType, rule.selection.countNumber]))
      ] == [
      "1 tagged v imageCountMoreThan 10",
      "2 tagged release- imageCountMoreThan 10",
      "3 untagged imageCountMoreThan 3",
      "4 any sinceImagePushed 60",
    ]
    error_message = "One rule for each prefix, one for untagged images, and the one for any image last."
  }
}

run "age_only" {
  command = plan
  variables {
    image_retention_days = 60
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this["api"].policy).rules[*].selection.tagStatus == ["untagged", "any"]
    error_message = "Without a count, the age applies to all tagged images."
  }
}

run "age_beside_prefixes" {
  command = plan
  variables {
    tag_prefixes         = ["v"]
    image_retention_days = 60
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this["api"].policy).rules : "${rule.selection.tagStatus} ${rule.selection.countNumber}"] == ["tagged 30", "untagged 1", "any 60"]
    error_message = "Images with a named prefix are counted, all other tagged ones expire by age."
  }
}

run "age_that_never_acts" {
  command = plan
  variables {
    max_image_count      = 10
    image_retention_days = 60
  }
  expect_failures = [check.image_retention_days]
}

run "no_count" {
  command = plan
  variables {
    max_image_count = 0
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this["api"].policy).rules[*].selection.tagStatus == ["untagged"]
    error_message = "Without a count, tagged images stay."
  }
}

run "access" {
  command = plan
  variables {
    cross_account_ids   = ["111122223333"]
    pull_principal_arns = ["arn:aws:iam::777788889999:role/deployer"]
    push_principal_arns = ["arn:aws:iam::777788889999:role/builder"]
  }

  assert {
    condition = jsondecode(aws_ecr_repository_policy.this["api"].policy).Statement[*].Principal.AWS == [
      ["arn:aws:iam::777788889999:role/deployer", "arn:aws:iam::111122223333:root"],
      ["arn:aws:iam::777788889999:role/builder"],
    ]
    error_message = "Accounts and pullers may pull, pushers push."
  }
}

run "kms" {
  command = plan
  variables {
    encryption_type = "KMS"
    kms_key_arn     = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = aws_ecr_repository.this["api"].encryption_configuration[0].kms_key == var.kms_key_arn
    error_message = "The key encrypts the repository."
  }
}

run "key_without_kms" {
  command = plan
  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
  }
  expect_failures = [aws_ecr_repository.this]
}

run "replication" {
  command = plan
  variables {
    replication_regions = ["eu-west-1", "eu-central-1"]
  }

  assert {
    condition     = aws_ecr_replication_configuration.this[0].replication_configuration[0].rule[0].destination[*].region == tolist(["eu-west-1", "eu-central-1"])
    error_message = "Each region is a destination."
  }
  assert {
    condition     = aws_ecr_replication_configuration.this[0].replication_configuration[0].rule[0].repository_filter[0].filter == "shop-dev-"
    error_message = "Only this project's repositories are replicated."
  }
}

run "replication_to_itself" {
  command = plan
  variables {
    replication_regions = ["us-east-1"]
  }
  expect_failures = [aws_ecr_replication_configuration.this]
}

run "enhanced_scanning" {
  command = plan
  variables {
    registry_scanning_type = "ENHANCED"
  }

  assert {
    condition     = one(aws_ecr_registry_scanning_configuration.this[0].rule).scan_frequency == "CONTINUOUS_SCAN"
    error_message = "Enhanced scanning goes on after the push."
  }
}

run "basic_scanning" {
  command = plan
  variables {
    registry_scanning_type = "BASIC"
  }

  assert {
    condition     = one(aws_ecr_registry_scanning_configuration.this[0].rule).scan_frequency == "SCAN_ON_PUSH"
    error_message = "Basic scanning happens on push."
  }
}

run "public_repositories" {
  command = plan
  variables {
    public_repository_names = ["cli"]
  }

  assert {
    condition     = aws_ecrpublic_repository.this["cli"].repository_name == "shop-dev-cli"
    error_message = "Public repositories are named like private ones."
  }
}

run "no_repositories" {
  command = plan
  variables {
    repository_names = []
  }

  assert {
    condition     = output.docker_login_command == null && output.k8s_image_pull_secret == null
    error_message = "Without a repository there is nothing to log in to."
  }
}
