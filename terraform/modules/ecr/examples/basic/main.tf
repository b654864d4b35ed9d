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

module "ecr" {
  source = "../.."

  project_name     = "shop"
  environment      = "dev"
  repository_names = ["api", "web"]
}

output "repository_urls" {
  value = module.ecr.repository_urls
}

output "docker_login_command" {
  value = module.ecr.docker_login_command
}
