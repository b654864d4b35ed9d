terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "role_arn" { type = string }

# The key is that of a user who may only take on the role; what is made, the role makes.
provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  endpoints {
    ecr = var.endpoint
    iam = var.endpoint
    sts = var.endpoint
  }
  assume_role {
    role_arn     = var.role_arn
    session_name = "terraform"
    external_id  = "the-external-id"
    duration     = "15m"
  }
}

data "aws_caller_identity" "current" {}

resource "aws_ecr_repository" "app" {
  name = "made/by-role"
}

output "arn" { value = data.aws_caller_identity.current.arn }
output "account" { value = data.aws_caller_identity.current.account_id }
