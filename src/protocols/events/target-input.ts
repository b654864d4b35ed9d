import { eventInputInvalid } from '../../domain/eventbridge/errors.ts'
import type { HttpSettings, TargetSettings } from '../../domain/eventbridge/rule.ts'
import type { NewTarget } from '../../services/events/event-targets.ts'
import type { EventsInput } from './operation.ts'

type Given = EventsInput<'PutTargets'>['Targets'][number]

/** Settings of targets that there are none of here: they are refused rather than kept and ignored. */
const UNSUPPORTED = [
  'AppSyncParameters',
  'BatchParameters',
  'EcsParameters',
  'KinesisParameters',
  'RedshiftDataParameters',
  'RunCommandParameters',
  'SageMakerPipelineParameters',
] as const satisfies readonly (keyof Given)[]

/** A target as it is to be kept. Throws `event-input-invalid`. */
export function targetOf(given: Given): NewTarget {
  const unsupported = UNSUPPORTED.find((name) => given[name] !== undefined)
  if (unsupported !== undefined) throw eventInputInvalid(`${unsupported} of target ${given.Id} is not supported here.`)
  const { InputTransformer: transformer, RetryPolicy: retry, HttpParameters: http } = given
  const settings: TargetSettings = {
    arn: given.Arn,
    roleArn: given.RoleArn,
    input: given.Input,
    inputPath: given.InputPath,
    inputTransformer: transformer && { paths: transformer.InputPathsMap, template: transformer.InputTemplate },
    deadLetterArn: given.DeadLetterConfig?.Arn,
    retry: retry && { attemptsMax: retry.MaximumRetryAttempts, ageSecondsMax: retry.MaximumEventAgeInSeconds },
    http: http && httpOf(http),
    messageGroupId: given.SqsParameters?.MessageGroupId,
  }
  return { name: given.Id, settings }
}

function httpOf(given: NonNullable<Given['HttpParameters']>): HttpSettings {
  return { path: given.PathParameterValues, headers: given.HeaderParameters, query: given.QueryStringParameters }
}
