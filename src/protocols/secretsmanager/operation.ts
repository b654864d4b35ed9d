import type * as Sdk from '@aws-sdk/client-secrets-manager'
import type { SecretValues } from '../../services/secrets/secret-values.ts'
import type { Secrets } from '../../services/secrets/secrets.ts'
import type { AwsCall } from '../aws/context.ts'
import type { Given } from '../aws/given.ts'

/** What the operations of Secrets Manager are made of. */
export interface SecretsServices {
  readonly secrets: Secrets
  readonly secretValues: SecretValues
}

/** One call of an operation: who calls, in which region, and the services it may use. */
export type SecretsCall = AwsCall & SecretsServices

export type SecretsOperationName =
  Extract<keyof typeof Sdk, `${string}Command`> extends `${infer Name}Command` ? Name : never

type Command<Name extends SecretsOperationName> = InstanceType<(typeof Sdk)[`${Name}Command`]>

/** An operation's input once it was validated: what the model requires is there. */
export type SecretsInput<Name extends SecretsOperationName> = Given<Command<Name>['input']>

/** An operation's output, as the AWS SDK will show it. */
export type SecretsOutput<Name extends SecretsOperationName> = Omit<
  Awaited<ReturnType<ReturnType<Command<Name>['resolveMiddleware']>>>['output'],
  '$metadata'
>

/** The handler of one operation: input → service → output. */
export type SecretsOperation<Name extends SecretsOperationName> = (
  input: SecretsInput<Name>,
  call: SecretsCall,
) => Promise<SecretsOutput<Name>>
