/** Repository creation templates. What a template does not say is null. */
export interface CreationTemplatesTable {
  account_id: string
  region: string
  prefix: string
  /** A JSON array of occasions. */
  applied_for: string
  description: string | null
  mutability: string
  /** A JSON array of wildcard patterns. */
  exclusion_filters: string
  encryption_type: string
  /** The key that was named; null with AES256, or for the one of the account. */
  kms_key: string | null
  repository_policy: string | null
  lifecycle_policy: string | null
  /** A JSON array of `{key, value}`. */
  resource_tags: string
  custom_role_arn: string | null
  created_at: number
  updated_at: number
}
