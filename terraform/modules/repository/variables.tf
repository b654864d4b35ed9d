variable "name" {
  description = "The repository's name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 256
    error_message = "name has 2 to 256 characters: lower-case letters and digits, with single '.', '_', '-' or '/' between them."
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
  description = "How images are encrypted at rest: AES256 or KMS. A change replaces the repository."
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

variable "version_tag_pattern" {
  description = "Tags of the versions that are counted, '*' standing for any characters."
  type        = string
  default     = "v*"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9._*-]{1,128}$", var.version_tag_pattern)) && length(split("*", var.version_tag_pattern)) <= 5
    error_message = "version_tag_pattern has 1 to 128 letters, digits, '.', '_', '-' and at most four '*'."
  }
}

variable "kept_versions" {
  description = "How many of the newest versions stay."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.kept_versions >= 1 && floor(var.kept_versions) == var.kept_versions
    error_message = "kept_versions is a whole number of at least 1."
  }
}

variable "untagged_days" {
  description = "Untagged images expire this many days after their push."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.untagged_days >= 1 && floor(var.untagged_days) == var.untagged_days
    error_message = "untagged_days is a whole number of at least 1."
  }
}

variable "force_delete" {
  description = "Whether destroying the repository deletes the images in it. Otherwise it fails while there are any."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "The repository's resource tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
