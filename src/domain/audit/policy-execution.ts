import { repositoryArn } from '../arn.ts'
import type { LifecycleRule } from '../lifecycle/rule.ts'
import type { LifecycleActed, LifecycleRun } from '../lifecycle/run.ts'
import type { RepositoryRef } from '../names.ts'
import type { ServiceEvent } from './api-call.ts'

const COUNT_TYPES = {
  imageCountMoreThan: 'Image count more than',
  sinceImagePushed: 'Time since image pushed',
  sinceImagePulled: 'Time since image pulled',
  sinceImageTransitioned: 'Time since image transitioned',
} as const

/** The record of a lifecycle run, as CloudTrail has it (event `PolicyExecutionEvent` of ECR). */
export function policyExecution(
  ref: RepositoryRef,
  {
    policyId,
    rules,
    run,
  }: { readonly policyId: string; readonly rules: readonly LifecycleRule[]; readonly run: LifecycleRun },
): ServiceEvent {
  const { registryId: accountId, region } = ref.registry
  return {
    at: run.endedAt,
    accountId,
    region,
    eventSource: 'ecr.amazonaws.com',
    eventName: 'PolicyExecutionEvent',
    resources: [repositoryArn(ref)],
    details: {
      repositoryName: ref.name,
      lifecycleEventPolicy: {
        lifecycleEventRules: rules.map(toRule),
        lastEvaluatedAt: run.startedAt.getTime(),
        policyVersion: 1,
        policyId,
      },
      lifecycleEventImageActions: run.actions.map(toAction),
      lifecycleEventFailureDetails: run.failures.map((failure) => ({
        ...toAction(failure),
        failureCode: failure.code,
        failureReason: failure.reason,
      })),
    },
  }
}

function toRule({ priority, description, tags, limit, action }: LifecycleRule): object {
  const isTagged = tags.tagStatus === 'tagged'
  return {
    rulePriority: priority,
    ...(description === undefined ? {} : { description }),
    lifecycleEventSelection: {
      tagStatus: capitalized(tags.tagStatus),
      tagPrefixList: isTagged && tags.list === 'prefix' ? tags.entries : [],
      tagPatternList: isTagged && tags.list === 'pattern' ? tags.entries : [],
      countType: COUNT_TYPES[limit.countType],
      ...(limit.countType === 'imageCountMoreThan'
        ? { countNumber: limit.keptImages }
        : { countUnit: 'Days', countNumber: limit.ageDays }),
    },
    action,
  }
}

function toAction({ digest, tags, rulePriority }: LifecycleActed): object {
  const tagStatus = tags.length === 0 ? 'Untagged' : 'Tagged'
  return { lifecycleEventImage: { digest, tagStatus, tagList: tags }, rulePriority }
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
