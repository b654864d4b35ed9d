variable "project_name" {
  description = "First part of each repository's name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", var.project_name))
    error_message = "project_name consists of lower-case letters and digits, with single '.', '_' or '-' between them."
  }
}

variable "environment" {
  description = "Second part of each repository's name, such as dev or prod."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", var.environment))
    error_message = "environment consists of lower-case letters and digits, with single '.', '_' or '-' between them."
  }
}

variable "repository_names" {
  description = "Services that get a private repository, named {project_name}-{environment}-{name}."
  type        = list(string)
  nullable    = false

  validation {
    condition = alltrue([
      for name in var.repository_names : can(regex("^([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*$", name))
    ])
    error_message = "Each repository name consists of lower-case letters and digits, with single '.', '_', '-' or '/' between them."
  }
  validation {
    condition     = length(distinct(var.repository_names)) == length(var.repository_names)
    error_message = "repository_names must not repeat a name."
  }
}

variable "image_tag_mutability" {
  description = "Whether a pushed tag can be moved to another image (MUTABLE) or not (IMMUTABLE)."
  type        = string
  default     = "MUTABLE"
  nullable    = false

  validation {
    condition     = contains(["MUTABLE", "IMMUTABLE"], var.image_tag_mutability)
    error_message = "image_tag_mutability is MUTABLE or IMMUTABLE."
  }
}

variable "scan_on_push" {
  description = "Whether each pushed image is scanned for vulnerabilities."
  type        = bool
  default     = true
  nullable    = false
}

variable "encryption_type" {
  description = "How images are encrypted at rest: AES256 or KMS. A change replaces the repositories."
  type        = string
  default     = "AES256"
  nullable    = false

  validation {
    condition     = contains(["AES256", "KMS"], var.encryption_type)
    error_message = "encryption_type is AES256 or KMS."
  }
}

variable "kms_key_arn" {
  description = "Key for encryption_type KMS. Without one, KMS uses the key that AWS manages for ECR."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "max_image_count" {
  description = "How many of the newest tagged images stay, per entry of tag_prefixes (of all tagged images when that is empty). 0: no such rule. null: 30, or no such rule where image_retention_days is given without tag_prefixes."
  type        = number
  default     = null

  validation {
    condition     = var.max_image_count == null ? true : var.max_image_count >= 0 && floor(var.max_image_count) == var.max_image_count
    error_message = "max_image_count is a whole number, or null."
  }
}

variable "tag_prefixes" {
  description = "Tag prefixes that max_image_count counts, each on its own. Of an image with tags of several, the first one listed decides. Empty: all tagged images count together."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for prefix in var.tag_prefixes : can(regex("^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$", prefix))])
    error_message = "Each tag prefix is the beginning of a tag: letters, digits, '.', '_' and '-', at most 128, not beginning with '.' or '-'."
  }
  validation {
    condition     = length(distinct(var.tag_prefixes)) == length(var.tag_prefixes)
    error_message = "tag_prefixes must not repeat a prefix: ECR accepts one rule for each."
  }
  validation {
    condition     = length(var.tag_prefixes) <= 48
    error_message = "tag_prefixes holds at most 48 entries: a lifecycle policy has at most 50 rules, two of which are for other images."
  }
}

variable "image_retention_days" {
  description = "Tagged images that max_image_count does not count expire this many days after their push. null: they stay."
  type        = number
  default     = null

  validation {
    condition     = var.image_retention_days == null ? true : var.image_retention_days >= 1 && floor(var.image_retention_days) == var.image_retention_days
    error_message = "image_retention_days is a whole number of at least 1, or null."
  }
}

variable "max_untagged_images" {
  description = "How many of the newest untagged images stay. null: untagged images expire one day after their push instead."
  type        = number
  default     = null

  validation {
    condition     = var.max_untagged_images == null ? true : var.max_untagged_images >= 1 && floor(var.max_untagged_images) == var.max_untagged_images
    error_message = "max_untagged_images is a whole number of at least 1, or null."
  }
}

variable "pull_principal_arns" {
  description = "IAM principals (accounts' roots, roles, users) that may pull, by the repositories' policies."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for arn in var.pull_principal_arns : can(regex("^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:(root|(user|role|assumed-role|federated-user)/.+)$", arn))
    ])
    error_message = "Each of pull_principal_arns is the ARN of an account's root, a role or a user."
  }
}

variable "push_principal_arns" {
  description = "IAM principals that may push and pull, by the repositories' policies."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for arn in var.push_principal_arns : can(regex("^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:(root|(user|role|assumed-role|federated-user)/.+)$", arn))
    ])
    error_message = "Each of push_principal_arns is the ARN of an account's root, a role or a user."
  }
}

variable "cross_account_ids" {
  description = "Other accounts whose principals may pull, as far as their own account lets them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.cross_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "Each of cross_account_ids is an account id of 12 digits."
  }
}

variable "replication_regions" {
  description = "Regions to which the private repositories are replicated. This sets the replication of the whole registry: use it in one instance of the module per account and region."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for region in var.replication_regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]+$", region))])
    error_message = "Each of replication_regions is the name of a region, such as eu-west-1."
  }
  validation {
    condition     = length(distinct(var.replication_regions)) == length(var.replication_regions) && length(var.replication_regions) <= 25
    error_message = "replication_regions holds at most 25 regions, each once."
  }
}

variable "public_repository_names" {
  description = "Services that get a repository in ECR Public, named {project_name}-{environment}-{name}. Needs a provider for us-east-1."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for name in var.public_repository_names : can(regex("^([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*$", name))
    ])
    error_message = "Each public repository name consists of lower-case letters and digits, with single '.', '_', '-' or '/' between them."
  }
  validation {
    condition     = length(distinct(var.public_repository_names)) == length(var.public_repository_names)
    error_message = "public_repository_names must not repeat a name."
  }
}

variable "registry_scanning_type" {
  description = "Scanning of the whole registry: BASIC or ENHANCED. null leaves it as it is; otherwise use it in one instance of the module per account and region."
  type        = string
  default     = null

  validation {
    condition     = var.registry_scanning_type == null ? true : contains(["BASIC", "ENHANCED"], var.registry_scanning_type)
    error_message = "registry_scanning_type is BASIC, ENHANCED or null."
  }
}

variable "force_delete" {
  description = "Whether destroying a repository deletes the images in it. Otherwise it fails while there are any."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Resource tags of all repositories."
  type        = map(string)
  default     = {}
  nullable    = false
}
