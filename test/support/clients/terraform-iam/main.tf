terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# The resources and data sources of IAM that Ecru answers, so that a plan shows every difference.

variable "endpoint" { type = string }
variable "team" {
  type    = string
  default = "red"
}
variable "actions" {
  type    = list(string)
  default = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
}
variable "session_seconds" {
  type    = number
  default = 3600
}
variable "key_status" {
  type    = string
  default = "Active"
}

provider "aws" {
  region                  = "us-east-1"
  access_key              = "000000000000"
  secret_key              = "test"
  skip_metadata_api_check = true
  endpoints {
    iam = var.endpoint
    sts = var.endpoint
  }
  default_tags {
    tags = { managed-by = "terraform" }
  }
}

data "aws_caller_identity" "me" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"]
    }
  }
}

data "aws_iam_policy_document" "pull" {
  statement {
    sid       = "Pull"
    actions   = var.actions
    resources = ["arn:aws:ecr:us-east-1:000000000000:repository/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/team"
      values   = [var.team]
    }
  }
}

data "aws_iam_policy" "read_only" {
  arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
}

resource "aws_iam_policy" "pull" {
  name        = "pull"
  path        = "/ci/"
  description = "pulls what is the team's"
  policy      = data.aws_iam_policy_document.pull.json
}

resource "aws_iam_role" "deploy" {
  name                 = "deploy"
  path                 = "/ci/"
  description          = "deploys for ${var.team}"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = var.session_seconds
  permissions_boundary = aws_iam_policy.pull.arn
  tags                 = { team = var.team }
}

resource "aws_iam_role_policy" "deploy" {
  name   = "own"
  role   = aws_iam_role.deploy.id
  policy = data.aws_iam_policy_document.pull.json
}

resource "aws_iam_role_policy_attachment" "deploy" {
  role       = aws_iam_role.deploy.name
  policy_arn = data.aws_iam_policy.read_only.arn
}

resource "aws_iam_user" "robot" {
  name          = "robot"
  tags          = { team = var.team }
  force_destroy = true
}

resource "aws_iam_user" "ada" {
  name          = "ada"
  force_destroy = true
}

resource "aws_iam_user_policy" "robot" {
  name   = "own"
  user   = aws_iam_user.robot.name
  policy = data.aws_iam_policy_document.pull.json
}

resource "aws_iam_user_policy_attachment" "robot" {
  user       = aws_iam_user.robot.name
  policy_arn = aws_iam_policy.pull.arn
}

resource "aws_iam_access_key" "robot" {
  user   = aws_iam_user.robot.name
  status = var.key_status
}

resource "aws_iam_group" "pullers" {
  name = "pullers"
}

resource "aws_iam_group" "others" {
  name = "others"
  path = "/x/"
}

resource "aws_iam_group_membership" "pullers" {
  name  = "pullers"
  group = aws_iam_group.pullers.name
  users = [aws_iam_user.robot.name]
}

resource "aws_iam_user_group_membership" "ada" {
  user   = aws_iam_user.ada.name
  groups = [aws_iam_group.others.name]
}

resource "aws_iam_group_policy" "pullers" {
  name   = "own"
  group  = aws_iam_group.pullers.name
  policy = data.aws_iam_policy_document.pull.json
}

resource "aws_iam_group_policy_attachment" "pullers" {
  group      = aws_iam_group.pullers.name
  policy_arn = aws_iam_policy.pull.arn
}

resource "aws_iam_openid_connect_provider" "github" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = ["sts.amazonaws.com", var.team]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}

resource "aws_iam_service_linked_role" "replication" {
  aws_service_name = "replication.ecr.amazonaws.com"
}

data "aws_iam_role" "deploy" {
  name = aws_iam_role.deploy.name
}

data "aws_iam_user" "robot" {
  user_name = aws_iam_user.robot.name
}

output "role_arn" { value = data.aws_iam_role.deploy.arn }
output "user_arn" { value = data.aws_iam_user.robot.arn }
output "read_only" { value = length(data.aws_iam_policy.read_only.policy) > 0 }
output "key_id" { value = aws_iam_access_key.robot.id }
output "key_secret" {
  value     = aws_iam_access_key.robot.secret
  sensitive = true
}
