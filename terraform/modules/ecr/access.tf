locals {
  pull_actions = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
  ]
  push_actions = concat(local.pull_actions, [
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
  ])

  cross_account_arns = [for id in var.cross_account_ids : "arn:${data.aws_partition.current.partition}:iam::${id}:root"]

  # How many principals there are is known before their ARNs are, and decides whether there is a policy.
  statements = [
    { Sid = "Pull", Principals = concat(var.pull_principal_arns, local.cross_account_arns), Action = local.pull_actions },
    { Sid = "Push", Principals = var.push_principal_arns, Action = local.push_actions },
  ]
  granted = [for statement in local.statements : statement if length(statement.Principals) > 0]
}

resource "aws_ecr_repository_policy" "this" {
  for_each = { for name, repository in aws_ecr_repository.this : name => repository if length(local.granted) > 0 }

  repository = each.value.id # as with the lifecycle policy
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in local.granted : {
        Sid       = statement.Sid
        Effect    = "Allow"
        Principal = { AWS = distinct(statement.Principals) }
        Action    = statement.Action
      }
    ]
  })
}
