import type {
  LifecyclePolicyPreviewResult as WireResult,
  LifecyclePolicyPreviewSummary as WireSummary,
} from '@aws-sdk/client-ecr'
import type { RepositoryRef } from '../../domain/names.ts'
import type { LifecyclePolicy, LifecyclePreviewResult, PreviewCounts } from '../../services/lifecycle/lifecycle.ts'
import { placeOf } from './references.ts'

/** What ECR calls the moment of a policy's last evaluation before there was one. */
const NEVER = new Date(0)

/** The output of GetLifecyclePolicy and DeleteLifecyclePolicy. */
export function lifecyclePolicyOutput(ref: RepositoryRef, { text, lastEvaluatedAt = NEVER }: LifecyclePolicy) {
  return { ...placeOf(ref), lifecyclePolicyText: text, lastEvaluatedAt }
}

/** ECR's LifecyclePolicyPreviewResult: in capitals, what the policy itself writes in small letters. */
export function previewResultOutput(result: LifecyclePreviewResult): WireResult {
  return {
    imageTags: result.tags.length === 0 ? undefined : [...result.tags],
    imageDigest: result.digest,
    imagePushedAt: result.pushedAt,
    action: result.action === 'expire' ? { type: 'EXPIRE' } : { type: 'TRANSITION', targetStorageClass: 'ARCHIVE' },
    appliedRulePriority: result.rulePriority,
    storageClass: result.storageClass === 'standard' ? 'STANDARD' : 'ARCHIVE',
  }
}

/** Transitions are summed up only when there are some. */
export function previewSummaryOutput({ expiring, transitioning }: PreviewCounts): WireSummary {
  const transitions = [{ targetStorageClass: 'ARCHIVE' as const, imageTotalCount: transitioning }]
  return {
    expiringImageTotalCount: expiring,
    transitioningImageTotalCounts: transitioning === 0 ? undefined : transitions,
  }
}
