import type * as Sdk from '@aws-sdk/client-kms'
import type { KeyAliases } from '../../services/kms/key-aliases.ts'
import type { KeyCryptography } from '../../services/kms/key-cryptography.ts'
import type { KeyGrants } from '../../services/kms/key-grants.ts'
import type { KeyLifetimes } from '../../services/kms/key-lifetimes.ts'
import type { KeyPolicies } from '../../services/kms/key-policies.ts'
import type { Keys } from '../../services/kms/keys.ts'
import type { AwsCall } from '../aws/context.ts'
import type { Given } from '../aws/given.ts'

/** What KMS's operations are made of. */
export interface KmsServices {
  readonly keys: Keys
  readonly keyAliases: KeyAliases
  readonly keyCryptography: KeyCryptography
  readonly keyGrants: KeyGrants
  readonly keyLifetimes: KeyLifetimes
  readonly keyPolicies: KeyPolicies
}

/** One call of an operation: who calls, in which region, and the services it may use. */
export type KmsCall = AwsCall & KmsServices

export type KmsOperationName =
  Extract<keyof typeof Sdk, `${string}Command`> extends `${infer Name}Command` ? Name : never

type Command<Name extends KmsOperationName> = InstanceType<(typeof Sdk)[`${Name}Command`]>

/** An operation's input once it was validated: what the model requires is there. */
export type KmsInput<Name extends KmsOperationName> = Given<Command<Name>['input']>

/** An operation's output, as the AWS SDK will show it. */
export type KmsOutput<Name extends KmsOperationName> = Omit<
  Awaited<ReturnType<ReturnType<Command<Name>['resolveMiddleware']>>>['output'],
  '$metadata'
>

/** The handler of one operation: input → service → output. */
export type KmsOperation<Name extends KmsOperationName> = (
  input: KmsInput<Name>,
  call: KmsCall,
) => Promise<KmsOutput<Name>>
