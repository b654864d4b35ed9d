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

module "repository" {
  source = "../../../repository"

  name = "team/app"
}

module "github_oidc" {
  source = "../.."

  github_repositories = ["example/app"]
  ecr_repository_arns = [module.repository.repository_arn]
}

output "role_arn" {
  value = module.github_oidc.role_arn
}
