terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# Every ECR resource and data source of the provider that Ecru answers, so that a plan shows every difference.

variable "endpoint" { type = string }
variable "mutability" {
  type    = string
  default = "MUTABLE"
}
variable "scan_on_push" {
  type    = bool
  default = true
}
variable "team" {
  type    = string
  default = "red"
}
variable "pull_actions" {
  type    = list(string)
  default = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
}
variable "kept_versions" {
  type    = number
  default = 30
}
variable "image_tag" {
  type    = string
  default = ""
}

provider "aws" {
  region                  = "us-east-1"
  access_key              = "000000000000"
  secret_key              = "test"
  skip_metadata_api_check = true
  endpoints {
    ecr       = var.endpoint
    ecrpublic = var.endpoint
    sts       = var.endpoint
  }
  default_tags {
    tags = { managed-by = "terraform" }
  }
}

data "aws_caller_identity" "me" {}
data "aws_ecr_authorization_token" "login" {}

resource "aws_ecr_repository" "app" {
  name                 = "team/app"
  image_tag_mutability = var.mutability
  force_delete         = true
  image_scanning_configuration { scan_on_push = var.scan_on_push }
  encryption_configuration { encryption_type = "AES256" }
  tags = { team = var.team }
}

resource "aws_ecr_repository" "plain" {
  name = "team/plain"
}

data "aws_iam_policy_document" "pull" {
  statement {
    sid     = "pull"
    actions = var.pull_actions
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::999999999999:root", "111122223333"]
    }
  }
}

resource "aws_ecr_repository_policy" "app" {
  repository = aws_ecr_repository.app.name
  policy     = data.aws_iam_policy_document.pull.json
}

data "aws_ecr_lifecycle_policy_document" "keep" {
  rule {
    priority    = 1
    description = "the newest versions"
    selection {
      tag_status       = "tagged"
      tag_pattern_list = ["v*"]
      count_type       = "imageCountMoreThan"
      count_number     = var.kept_versions
    }
    action { type = "expire" }
  }
  rule {
    priority = 2
    selection {
      tag_status   = "untagged"
      count_type   = "sinceImagePushed"
      count_unit   = "days"
      count_number = 14
    }
    action { type = "expire" }
  }
}

resource "aws_ecr_lifecycle_policy" "app" {
  repository = aws_ecr_repository.app.name
  policy     = data.aws_ecr_lifecycle_policy_document.keep.json
}

resource "aws_ecr_registry_policy" "registry" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "replicate"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::999999999999:root" }
      Action    = concat(["ecr:ReplicateImage"], var.pull_actions)
      Resource  = ["arn:aws:ecr:us-east-1:${data.aws_caller_identity.me.account_id}:repository/*"]
    }]
  })
}

resource "aws_ecr_repository_creation_template" "pushed" {
  prefix               = "pushed"
  description          = "for the first push by ${var.team}"
  image_tag_mutability = var.mutability
  custom_role_arn      = "arn:aws:iam::000000000000:role/templates"
  applied_for          = ["PULL_THROUGH_CACHE"]
  encryption_configuration { encryption_type = "AES256" }
  repository_policy = data.aws_iam_policy_document.pull.json
  lifecycle_policy  = data.aws_ecr_lifecycle_policy_document.keep.json
  resource_tags     = { team = var.team }
}
resource "aws_ecr_repository_creation_template" "root" {
  prefix      = "ROOT"
  applied_for = ["REPLICATION"]
}

resource "aws_ecr_account_setting" "scope" {
  name  = "REGISTRY_POLICY_SCOPE"
  value = "V2"
}

resource "aws_ecr_replication_configuration" "all" {
  replication_configuration {
    rule {
      destination {
        region      = "eu-west-1"
        registry_id = data.aws_caller_identity.me.account_id
      }
      dynamic "repository_filter" {
        for_each = var.scan_on_push ? ["team/"] : ["team/", "prod/"]
        content {
          filter      = repository_filter.value
          filter_type = "PREFIX_MATCH"
        }
      }
    }
  }
}

resource "aws_ecr_registry_scanning_configuration" "all" {
  scan_type = var.scan_on_push ? "ENHANCED" : "BASIC"

  rule {
    scan_frequency = "SCAN_ON_PUSH"
    repository_filter {
      filter      = "team/*"
      filter_type = "WILDCARD"
    }
  }
}

resource "aws_ecrpublic_repository" "gallery" {
  repository_name = "team/gallery"
  force_destroy   = true
  catalog_data {
    description       = "of ${var.team}"
    about_text        = "# Gallery"
    architectures     = ["ARM 64", "x86-64"]
    operating_systems = ["Linux"]
  }
  tags = { team = var.team }
}
resource "aws_ecrpublic_repository" "bare" {
  repository_name = "team/bare"
}
resource "aws_ecrpublic_repository_policy" "gallery" {
  repository_name = aws_ecrpublic_repository.gallery.repository_name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "push"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::999999999999:root" }
      Action    = ["ecr-public:PutImage", "ecr-public:InitiateLayerUpload"]
    }]
  })
}
data "aws_ecrpublic_authorization_token" "login" {}

data "aws_ecr_repository" "app" { name = aws_ecr_repository.app.name }
data "aws_ecr_repositories" "all" { depends_on = [aws_ecr_repository.app, aws_ecr_repository.plain] }
data "aws_ecr_repository_creation_template" "pushed" {
  prefix = aws_ecr_repository_creation_template.pushed.prefix
}
data "aws_ecr_image" "pushed" {
  count           = var.image_tag == "" ? 0 : 1
  repository_name = aws_ecr_repository.app.name
  image_tag       = var.image_tag
}
output "account" { value = data.aws_caller_identity.me.account_id }
output "names" { value = data.aws_ecr_repositories.all.names }
output "repository_url" { value = aws_ecr_repository.app.repository_url }
output "proxy_endpoint" { value = data.aws_ecr_authorization_token.login.proxy_endpoint }
output "gallery_uri" { value = aws_ecrpublic_repository.gallery.repository_uri }
output "image_digest" { value = one(data.aws_ecr_image.pushed[*].image_digest) }
