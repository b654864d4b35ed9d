terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "environment" {
  type    = string
  default = "prod"
}

variable "image_tag_mutability" {
  type    = string
  default = "IMMUTABLE"
}

variable "max_untagged_images" {
  type    = number
  default = 5
}

variable "force_delete" {
  type    = bool
  default = false
}

module "ecr" {
  source = "../.."

  project_name     = "shop"
  environment      = var.environment
  repository_names = ["api", "team/worker"]

  image_tag_mutability = var.image_tag_mutability
  scan_on_push         = true
  force_delete         = var.force_delete

  tag_prefixes         = ["v", "release-"]
  max_image_count      = 20
  image_retention_days = 90
  max_untagged_images  = var.max_untagged_images

  cross_account_ids   = ["111122223333", "444455556666"]
  pull_principal_arns = ["arn:aws:iam::777788889999:role/deployer"]
  push_principal_arns = ["arn:aws:iam::777788889999:role/builder"]

  tags = { team = "shop", environment = var.environment }
}

output "repository_urls" {
  value = module.ecr.repository_urls
}

output "repository_arns" {
  value = module.ecr.repository_arns
}

output "docker_login_command" {
  value = module.ecr.docker_login_command
}

output "docker_commands" {
  value = module.ecr.docker_commands
}

output "k8s_image_pull_secret" {
  value = module.ecr.k8s_image_pull_secret
}
