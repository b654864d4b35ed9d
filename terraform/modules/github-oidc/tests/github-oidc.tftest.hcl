mock_provider "aws" {}

variables {
  github_repositories  = ["example/app", "example/lib"]
  ecr_repository_arns  = ["arn:aws:ecr:us-east-1:000000000000:repository/team/app"]
  create_oidc_provider = false
  oidc_provider_arn    = "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com"
}

run "trust" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.push.assume_role_policy).Statement[0] == {
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com" }
      Condition = {
        StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
        StringLike = {
          "token.actions.githubusercontent.com:sub" = [
            "repo:example/app:ref:refs/heads/main",
            "repo:example/app:ref:refs/tags/v*",
            "repo:example/lib:ref:refs/heads/main",
            "repo:example/lib:ref:refs/tags/v*",
          ]
        }
      }
    }
    error_message = "Only main and version tags of the named repositories assume the role."
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "The account's provider is used."
  }
}

run "permissions" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role_policy.push.policy).Statement[1].Resource == ["arn:aws:ecr:us-east-1:000000000000:repository/team/app"]
    error_message = "Pushes go to the named repositories only."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.push.policy).Statement : statement.Action if statement.Resource == "*"] == ["ecr:GetAuthorizationToken"]
    error_message = "All that is allowed everywhere is to log in."
  }
}

run "own_provider" {
  command = plan
  variables {
    create_oidc_provider = true
    oidc_provider_arn    = null
    subjects             = ["environment:production"]
  }

  assert {
    condition     = aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com"
    error_message = "The provider is GitHub's."
  }
}

run "no_provider" {
  command = plan
  variables {
    oidc_provider_arn = null
  }
  expect_failures = [aws_iam_role.push]
}

run "mistakes" {
  command = plan
  variables {
    role_name                = "push it"
    github_repositories      = ["example/*"]
    subjects                 = []
    ecr_repository_arns      = ["arn:aws:ecr:us-east-1:000000000000:repository/*"]
    oidc_provider_arn        = "arn:aws:iam::000000000000:oidc-provider/example.com"
    thumbprints              = ["zz"]
    max_session_duration     = 60
    permissions_boundary_arn = "boundary"
  }
  expect_failures = [
    var.role_name, var.github_repositories, var.subjects, var.ecr_repository_arns, var.oidc_provider_arn, var.thumbprints,
    var.max_session_duration, var.permissions_boundary_arn,
  ]
}
