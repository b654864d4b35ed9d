import type { PullThroughCacheRule } from '@aws-sdk/client-ecr'
import type { PullThroughRule, UpstreamKind } from '../../domain/pull-through.ts'

/** Those whose rules show no `upstreamRegistry` (ECR, observed). */
const UNNAMED: ReadonlySet<UpstreamKind> = new Set(['ecr-public', 'k8s', 'quay'])

/** A rule as ECR shows it. An `upstreamRepositoryPrefix` that nobody gave is left out: Terraform would replace the rule for it. */
export function ruleOutput(
  rule: PullThroughRule,
): PullThroughCacheRule & { readonly createdAt: Date; readonly updatedAt: Date } {
  const { upstreamKind: kind, createdAt, updatedAt } = rule
  return {
    ...identityOf(rule),
    upstreamRegistryUrl: rule.upstreamUrl,
    upstreamRegistry: kind === undefined || UNNAMED.has(kind) ? undefined : kind,
    createdAt,
    updatedAt,
  }
}

/** The members that every output has. */
export function identityOf({ registry, prefix, credentialArn, customRoleArn, upstreamPrefix }: PullThroughRule) {
  return {
    ecrRepositoryPrefix: prefix,
    registryId: registry.registryId,
    credentialArn,
    customRoleArn,
    upstreamRepositoryPrefix: upstreamPrefix,
  }
}
