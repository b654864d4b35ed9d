# What ECR demands of the rules of one policy, and what follows from it:
# - the entries of one tag list must all match, so each prefix is a rule of its own;
# - one rule at most selects untagged images, so they expire by count or by age, not both;
# - a rule for any image comes last, and an image that an earlier rule selects is none of its business, so the age
#   applies to what is not counted.
locals {
  # An age alone is what it says; it would never act beside a count of all tagged images.
  age_alone       = var.image_retention_days != null && length(var.tag_prefixes) == 0
  max_image_count = var.max_image_count != null ? var.max_image_count : local.age_alone ? 0 : 30

  # An input as the list of none or one.
  kept_tagged   = local.max_image_count == 0 ? [] : [local.max_image_count]
  kept_untagged = var.max_untagged_images[*]
  retention     = var.image_retention_days[*]

  prefix_rules = [
    for prefix in var.tag_prefixes : {
      description = "keep the newest ${one(local.kept_tagged)} images tagged ${prefix}*"
      selection   = { tagStatus = "tagged", tagPrefixList = [prefix], countType = "imageCountMoreThan", countNumber = one(local.kept_tagged) }
    } if length(local.kept_tagged) > 0
  ]

  tagged_rules = [
    for count in local.kept_tagged : {
      description = "keep the newest ${count} tagged images"
      selection   = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = count }
    } if length(var.tag_prefixes) == 0
  ]

  untagged_count_rules = [
    for count in local.kept_untagged : {
      description = "keep the newest ${count} untagged images"
      selection   = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = count }
    }
  ]

  untagged_age_rules = [
    for days in [1] : {
      description = "expire untagged images after a day"
      selection   = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = days }
    } if length(local.kept_untagged) == 0
  ]

  age_rules = [
    for days in local.retention : {
      description = "expire all other images after ${days} days"
      selection   = { tagStatus = "any", countType = "sinceImagePushed", countUnit = "days", countNumber = days }
    }
  ]

  rules = concat(local.prefix_rules, local.tagged_rules, local.untagged_count_rules, local.untagged_age_rules, local.age_rules)

  lifecycle_policy = jsonencode({
    rules = [
      for index, rule in local.rules :
      merge(rule, { rulePriority = index + 1, action = { type = "expire" } })
    ]
  })
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.id # not known when the repository is replaced, so that the policy is put into the new one
  policy     = local.lifecycle_policy
}

check "image_retention_days" {
  assert {
    condition     = !local.age_alone || length(local.kept_tagged) == 0
    error_message = "image_retention_days never acts: max_image_count counts all tagged images. Name the counted ones in tag_prefixes, or leave max_image_count out."
  }
}
