/** Pull-through cache rules. What a rule does not say is null. */
export interface PullThroughRulesTable {
  account_id: string
  region: string
  /** The prefix without a slash at its end. */
  prefix_key: string
  prefix: string
  upstream_url: string
  upstream_kind: string | null
  credential_arn: string | null
  custom_role_arn: string | null
  upstream_prefix: string | null
  created_at: number
  updated_at: number
}

/** When something of a repository was last compared with the upstream. */
export interface UpstreamChecksTable {
  repository_id: number
  /** `tag`, or `referrers` of a digest. */
  kind: string
  /** The tag, or the digest. */
  name: string
  /** What the tag was there; null for referrers. */
  digest: string | null
  checked_at: number
}
