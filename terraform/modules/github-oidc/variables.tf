variable "role_name" {
  description = "Name of the role that workflows assume."
  type        = string
  default     = "github-actions-ecr-push"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "role_name has 1 to 64 letters, digits and characters of +=,.@_-."
  }
}

variable "github_repositories" {
  description = "GitHub repositories whose workflows may assume the role, each as owner/name."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.github_repositories) > 0
    error_message = "github_repositories must name at least one repository."
  }
  validation {
    condition = alltrue([
      for repository in var.github_repositories : can(regex("^[a-zA-Z0-9][a-zA-Z0-9-]{0,38}/[a-zA-Z0-9._-]{1,100}$", repository))
    ])
    error_message = "Each of github_repositories is written owner/name, without wildcards."
  }
}

variable "subjects" {
  description = "Which workflows of these repositories: the rest of GitHub's subject claim, such as ref:refs/heads/main, environment:production or pull_request. '*' stands for any characters."
  type        = list(string)
  default     = ["ref:refs/heads/main", "ref:refs/tags/v*"]
  nullable    = false

  validation {
    condition     = length(var.subjects) > 0 && alltrue([for subject in var.subjects : can(regex("^[^\\s?]+$", subject))])
    error_message = "subjects must hold at least one subject, each without blanks and '?'."
  }
}

variable "ecr_repository_arns" {
  description = "ARNs of the ECR repositories that the role may push to and pull from."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.ecr_repository_arns) > 0
    error_message = "ecr_repository_arns must name at least one repository."
  }
  validation {
    condition = alltrue([
      for arn in var.ecr_repository_arns : can(regex("^arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9._/-]+$", arn))
    ])
    error_message = "Each of ecr_repository_arns is the ARN of one ECR repository, without wildcards."
  }
}

variable "create_oidc_provider" {
  description = "Whether to create the account's OIDC provider for GitHub. An account can have one only: false where it exists already."
  type        = bool
  default     = true
  nullable    = false
}

variable "oidc_provider_arn" {
  description = "ARN of the OIDC provider for GitHub that the account has already, with create_oidc_provider = false."
  type        = string
  default     = null

  validation {
    condition     = var.oidc_provider_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn is the ARN of an OIDC provider for token.actions.githubusercontent.com."
  }
}

variable "thumbprints" {
  description = "Certificate thumbprints of a provider that the module creates. AWS checks GitHub against its own list of authorities and does not use them."
  type        = list(string)
  default     = ["6938fd4d98bab03faadb97b34396831e3780aea1", "1c58a3a8518e8759bf075b76b750d4f2df264fcd"]
  nullable    = false

  validation {
    condition     = length(var.thumbprints) >= 1 && length(var.thumbprints) <= 5 && alltrue([for thumbprint in var.thumbprints : can(regex("^[0-9a-f]{40}$", thumbprint))])
    error_message = "thumbprints holds one to five thumbprints of 40 lower-case hexadecimal digits."
  }
}

variable "max_session_duration" {
  description = "How long, in seconds, a workflow may keep the role."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200
    error_message = "max_session_duration lies between 3600 and 43200 seconds."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of a policy that bounds the role's permissions."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn is the ARN of an IAM policy."
  }
}

variable "tags" {
  description = "Resource tags of the provider and the role."
  type        = map(string)
  default     = {}
  nullable    = false
}
