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

variable "kept_versions" {
  type    = number
  default = 30
}

module "repository" {
  source = "../.."

  name          = "team/app"
  kept_versions = var.kept_versions
}

output "repository_url" {
  value = module.repository.repository_url
}
