import type { AuditTrail } from '../../domain/audit/api-call.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Tokens } from '../../services/credentials/tokens.ts'
import type { ImageDeletion } from '../../services/images/image-deletion.ts'
import type { ImageLists } from '../../services/images/image-lists.ts'
import type { Images } from '../../services/images/images.ts'
import type { Layers } from '../../services/images/layers.ts'
import type { Uploads } from '../../services/images/uploads.ts'
import type { Mirrors } from '../../services/pull-through/mirrors.ts'
import type { PullThrough } from '../../services/pull-through/pull-through.ts'
import type { ReplicaDeletion } from '../../services/replication/replica-deletion.ts'
import type { PushTargets } from '../../services/repositories/push-targets.ts'
import type { Repositories } from '../../services/repositories/repositories.ts'
import type { LargeBodies } from '../http/large-bodies.ts'

/** How this plane is to behave where there is a choice. */
export interface OciSettings {
  /** `aws` reproduces what ECR does differently from the OCI specification. */
  readonly fidelity: 'oci' | 'aws'
  /** The least size of every part of a layer but the last; 0 for none. */
  readonly layerPartBytesMin: number
}

/** What this plane uses of the process. */
export interface OciServices {
  readonly settings: OciSettings
  readonly tokens: Tokens
  readonly repositories: Repositories
  readonly pullThrough: PullThrough
  readonly mirrors: Mirrors
  readonly pushTargets: PushTargets
  readonly layers: Layers
  readonly uploads: Uploads
  readonly images: Images
  readonly imageLists: ImageLists
  readonly imageDeletion: ImageDeletion
  readonly replicaDeletion: ReplicaDeletion
  /** Where manifests are read, so that many large ones do not fill the memory together. */
  readonly bodies: LargeBodies
  /** Where requests are written down, by which clock; absent: nowhere. */
  readonly ociAudit?: { readonly trail: AuditTrail; readonly clock: Clock } | undefined
  /** Takes what went wrong on our side; the answer shows the request id only. */
  report(thrown: unknown, requestId: string): void
}
