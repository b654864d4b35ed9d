import type * as Sdk from '@aws-sdk/client-iam'
import type { IamServices } from '../../services/iam/iam-services.ts'
import type { AwsCall } from '../aws/context.ts'
import type { Given } from '../aws/given.ts'

/** One call of an operation: who calls, from where, and the services it may use. */
export type IamCall = AwsCall & IamServices

export type IamOperationName =
  Extract<keyof typeof Sdk, `${string}Command`> extends `${infer Name}Command` ? Name : never

type Command<Name extends IamOperationName> = InstanceType<(typeof Sdk)[`${Name}Command`]>

/** An operation's input once it was validated: what the model requires is there. */
export type IamInput<Name extends IamOperationName> = Given<Command<Name>['input']>

/** An operation's output, as the AWS SDK will show it. */
export type IamOutput<Name extends IamOperationName> = Omit<
  Awaited<ReturnType<ReturnType<Command<Name>['resolveMiddleware']>>>['output'],
  '$metadata'
>

/** The handler of one operation: input → service → output. */
export type IamOperation<Name extends IamOperationName> = (
  input: IamInput<Name>,
  call: IamCall,
) => Promise<IamOutput<Name>>
