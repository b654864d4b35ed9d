import type * as Sdk from '@aws-sdk/client-ecr'
import type { Policies } from '../../services/access/policies.ts'
import type { AccountSettings } from '../../services/account-settings.ts'
import type { Logins } from '../../services/credentials/logins.ts'
import type { ImageBatches } from '../../services/images/image-batches.ts'
import type { ImageDeletion } from '../../services/images/image-deletion.ts'
import type { ImageLists } from '../../services/images/image-lists.ts'
import type { Images } from '../../services/images/images.ts'
import type { Layers } from '../../services/images/layers.ts'
import type { PullTimeExclusions } from '../../services/images/pull-time-exclusions.ts'
import type { StorageClasses } from '../../services/images/storage-classes.ts'
import type { Uploads } from '../../services/images/uploads.ts'
import type { Lifecycle } from '../../services/lifecycle/lifecycle.ts'
import type { PullThrough } from '../../services/pull-through/pull-through.ts'
import type { PullThroughRules } from '../../services/pull-through/pull-through-rules.ts'
import type { Replication } from '../../services/replication/replication.ts'
import type { CreationTemplates } from '../../services/repositories/creation-templates.ts'
import type { PushTargets } from '../../services/repositories/push-targets.ts'
import type { Repositories } from '../../services/repositories/repositories.ts'
import type { ImageScans } from '../../services/scanning/image-scans.ts'
import type { ScanConfigurations } from '../../services/scanning/scan-configurations.ts'
import type { ScanFindings } from '../../services/scanning/scan-findings.ts'
import type { Signing } from '../../services/signing/signing.ts'
import type { AwsCall } from '../aws/context.ts'
import type { Given } from '../aws/given.ts'
import type { Addresses } from './addresses.ts'

/** What ECR's operations are made of. */
export interface EcrServices {
  readonly accountSettings: AccountSettings
  readonly addresses: Addresses
  readonly imageBatches: ImageBatches
  readonly imageDeletion: ImageDeletion
  readonly imageLists: ImageLists
  readonly images: Images
  readonly imageScans: ImageScans
  readonly layers: Layers
  readonly lifecycle: Lifecycle
  readonly logins: Logins
  readonly policies: Policies
  readonly creationTemplates: CreationTemplates
  readonly pushTargets: PushTargets
  readonly pullThrough: PullThrough
  readonly pullThroughRules: PullThroughRules
  readonly pullTimeExclusions: PullTimeExclusions
  readonly replication: Replication
  readonly repositories: Repositories
  readonly signing: Signing
  readonly scanConfigurations: ScanConfigurations
  readonly scanFindings: ScanFindings
  readonly storageClasses: StorageClasses
  readonly uploads: Uploads
}

/** One call of an operation: who calls, from where, and the services it may use. */
export type EcrCall = AwsCall & EcrServices

export type EcrOperationName =
  Extract<keyof typeof Sdk, `${string}Command`> extends `${infer Name}Command` ? Name : never

type Command<Name extends EcrOperationName> = InstanceType<(typeof Sdk)[`${Name}Command`]>

/** An operation's input once it was validated: what the model requires is there. */
export type EcrInput<Name extends EcrOperationName> = Given<Command<Name>['input']>

/** An operation's output, as the AWS SDK will show it. */
export type EcrOutput<Name extends EcrOperationName> = Omit<
  Awaited<ReturnType<ReturnType<Command<Name>['resolveMiddleware']>>>['output'],
  '$metadata'
>

/** The handler of one operation: input → service → output. */
export type EcrOperation<Name extends EcrOperationName> = (
  input: EcrInput<Name>,
  call: EcrCall,
) => Promise<EcrOutput<Name>>
