import type { Target } from '@aws-sdk/client-eventbridge'
import type { EventTarget, HttpSettings } from '../../domain/eventbridge/rule.ts'

/** A target as it was put. */
export function targetOutput({ name, settings }: EventTarget): Target {
  const { inputTransformer, deadLetterArn, retry, http, messageGroupId } = settings
  return {
    Id: name,
    Arn: settings.arn,
    RoleArn: settings.roleArn,
    Input: settings.input,
    InputPath: settings.inputPath,
    InputTransformer: inputTransformer && {
      InputPathsMap: inputTransformer.paths,
      InputTemplate: inputTransformer.template,
    },
    DeadLetterConfig: deadLetterArn === undefined ? undefined : { Arn: deadLetterArn },
    RetryPolicy: retry && { MaximumRetryAttempts: retry.attemptsMax, MaximumEventAgeInSeconds: retry.ageSecondsMax },
    HttpParameters: http && httpOutput(http),
    SqsParameters: messageGroupId === undefined ? undefined : { MessageGroupId: messageGroupId },
  }
}

function httpOutput({ path, headers, query }: HttpSettings): Target['HttpParameters'] {
  return {
    PathParameterValues: path && [...path],
    HeaderParameters: headers,
    QueryStringParameters: query,
  }
}
