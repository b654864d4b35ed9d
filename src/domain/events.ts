import { repositoryArn } from './arn.ts'
import type { Digest } from './digest.ts'
import type { Image } from './image.ts'
import type { Region, Registry, RegistryId, RepositoryRef, Tag } from './names.ts'

/**
 * What happened, in the members and words of EventBridge. Whoever decides a change makes its event by a function of this
 * file and hands it to `tx.outbox.append` in the transaction of the change, so that neither is without the other.
 */
export type RegistryEvent =
  | EventOf<'aws.ecr', 'ECR Image Action' | 'ECR Referrer Action', ImageActionDetail>
  | EventOf<'aws.ecr', 'ECR Repository Action', RepositoryActionDetail>
  | EventOf<'aws.ecr', 'ECR Image Scan', ImageScanDetail>
  | EventOf<'aws.ecr', 'ECR Scan Resource Change', ScanResourceChangeDetail>
  | EventOf<'aws.ecr', 'ECR Pull Through Cache Action', PullThroughCacheDetail>
  | EventOf<'aws.ecr', 'ECR Replication Action', ReplicationDetail>
  | EventOf<'aws.inspector2', 'Inspector2 Scan', InspectorScanDetail>
  | EventOf<'aws.inspector2', 'Inspector2 Finding', object>

/** An event of any kind, those of callers included: what the outbox keeps. */
export type AnyEvent = EventOf<string, string, object>

interface EventOf<Source extends string, DetailType extends string, Detail extends object> {
  /** In whose account and region it happened, and whose rules see it. */
  readonly registry: Registry
  readonly source: Source
  readonly detailType: DetailType
  /** ARNs. */
  readonly resources: readonly string[]
  readonly at: Date
  /** As JSON has it. */
  readonly detail: Detail
}

/** `PULL` is not among ECR's own. */
export type ImageActionType = 'PUSH' | 'DELETE' | 'UPDATE_STORAGE_CLASS' | 'PULL'

export interface ImageActionDetail {
  readonly result: 'SUCCESS' | 'FAILURE'
  readonly 'repository-name': string
  readonly 'image-digest': string
  readonly 'action-type': ImageActionType
  /** Absent for an image without a tag. */
  readonly 'image-tag'?: string
  readonly 'manifest-media-type'?: string
  readonly 'artifact-media-type'?: string
  readonly 'target-storage-class'?: 'STANDARD' | 'ARCHIVE'
  /** Of an image that came back from the archive. */
  readonly 'last-activated-at'?: string
  /** Of a PULL: how many the event stands for. */
  readonly 'pull-count'?: number
}

/** Not among ECR's own. */
export interface RepositoryActionDetail {
  readonly result: 'SUCCESS'
  readonly 'repository-name': string
  readonly 'action-type': 'CREATE' | 'DELETE'
}

export interface ImageScanDetail {
  readonly 'scan-status': 'COMPLETE' | 'FAILED'
  readonly 'repository-name': string
  /** Severities that were found; none with 0. */
  readonly 'finding-severity-counts': Readonly<Record<string, number>>
  readonly 'image-digest': string
  readonly 'image-tags': readonly string[]
}

export type ScanFrequency = 'SCAN_ON_PUSH' | 'CONTINUOUS_SCAN' | 'MANUAL'

export interface ScanResourceChangeDetail {
  readonly 'action-type': 'SCAN_FREQUENCY_CHANGE'
  readonly repositories: readonly {
    readonly 'repository-name': string
    readonly 'repository-arn': string
    readonly 'scan-frequency': ScanFrequency
    readonly 'previous-scan-frequency': ScanFrequency
  }[]
  readonly 'resource-type': 'REPOSITORY'
  readonly 'scan-type': 'ENHANCED'
}

export interface PullThroughCacheDetail {
  readonly 'rule-version': '1'
  readonly 'sync-status': 'SUCCESS' | 'FAILED'
  readonly 'ecr-repository-prefix': string
  readonly 'repository-name': string
  readonly 'upstream-registry-url': string
  readonly 'image-tag'?: string
  readonly 'image-digest'?: string
  readonly 'failure-code'?: string
  readonly 'failure-reason'?: string
}

export interface ReplicationDetail {
  readonly result: 'SUCCESS' | 'FAILED'
  readonly 'repository-name': string
  readonly 'image-digest': string
  readonly 'source-account': string
  readonly 'action-type': 'REPLICATE'
  readonly 'source-region': string
  readonly 'image-tag'?: string
}

export interface InspectorScanDetail {
  readonly 'scan-status': 'INITIAL_SCAN_COMPLETE'
  /** The ARN, whatever the member is called. */
  readonly 'repository-name': string
  /** With `TOTAL`. */
  readonly 'finding-severity-counts': Readonly<Record<string, number>>
  readonly 'image-digest': string
  readonly 'image-tags': readonly string[]
}

/** What a severity count has for each severity. */
export type SeverityCounts = Readonly<Record<string, number>>

type EventImage = Pick<Image, 'digest' | 'mediaType' | 'artifactType' | 'subject'>

/** What happened to an image, or to one that refers to another. */
export function imageAction(
  { registry, name }: RepositoryRef,
  { digest, mediaType, artifactType, subject }: EventImage,
  actionType: ImageActionType,
  at: Date,
  more: Pick<ImageActionDetail, 'target-storage-class' | 'last-activated-at' | 'pull-count'> & {
    readonly tag?: Tag | undefined
  } = {},
): RegistryEvent {
  const { tag, ...rest } = more
  return {
    registry,
    source: 'aws.ecr',
    detailType: subject === undefined ? 'ECR Image Action' : 'ECR Referrer Action',
    resources: [],
    at,
    detail: {
      result: 'SUCCESS',
      'repository-name': name,
      'image-digest': digest,
      'action-type': actionType,
      ...(tag !== undefined && { 'image-tag': tag }),
      'manifest-media-type': mediaType,
      ...(artifactType !== undefined && { 'artifact-media-type': artifactType }),
      ...rest,
    },
  }
}

/** A repository that came or went. ECR has no such event. */
export function repositoryAction(ref: RepositoryRef, actionType: 'CREATE' | 'DELETE', at: Date): RegistryEvent {
  return {
    registry: ref.registry,
    source: 'aws.ecr',
    detailType: 'ECR Repository Action',
    resources: [repositoryArn(ref)],
    at,
    detail: { result: 'SUCCESS', 'repository-name': ref.name, 'action-type': actionType },
  }
}

/** A basic scan that has ended. Severities with a count of 0 are left out. */
export function imageScan(
  ref: RepositoryRef,
  digest: Digest,
  tags: readonly Tag[],
  status: ImageScanDetail['scan-status'],
  severities: SeverityCounts,
  at: Date,
): RegistryEvent {
  const found = Object.entries(severities).filter(([, count]) => count > 0)
  return {
    registry: ref.registry,
    source: 'aws.ecr',
    detailType: 'ECR Image Scan',
    resources: [repositoryArn(ref)],
    at,
    detail: {
      'scan-status': status,
      'repository-name': ref.name,
      'finding-severity-counts': Object.fromEntries(found),
      'image-digest': digest,
      'image-tags': tags,
    },
  }
}

/** How often some repositories of one registry are scanned has changed. */
export function scanFrequencyChange(
  registry: Registry,
  repositories: readonly {
    readonly ref: RepositoryRef
    readonly frequency: ScanFrequency
    readonly previous: ScanFrequency
  }[],
  at: Date,
): RegistryEvent {
  return {
    registry,
    source: 'aws.ecr',
    detailType: 'ECR Scan Resource Change',
    resources: [],
    at,
    detail: {
      'action-type': 'SCAN_FREQUENCY_CHANGE',
      repositories: repositories.map(({ ref, frequency, previous }) => ({
        'repository-name': ref.name,
        'repository-arn': repositoryArn(ref),
        'scan-frequency': frequency,
        'previous-scan-frequency': previous,
      })),
      'resource-type': 'REPOSITORY',
      'scan-type': 'ENHANCED',
    },
  }
}

/** The first enhanced scan of an image has ended. The total is added here. */
export function inspectorScan(
  ref: RepositoryRef,
  digest: Digest,
  tags: readonly Tag[],
  severities: SeverityCounts,
  at: Date,
): RegistryEvent {
  const found = Object.entries(severities).filter(([, count]) => count > 0)
  const total = found.reduce((sum, [, count]) => sum + count, 0)
  return {
    registry: ref.registry,
    source: 'aws.inspector2',
    detailType: 'Inspector2 Scan',
    resources: [repositoryArn(ref)],
    at,
    detail: {
      'scan-status': 'INITIAL_SCAN_COMPLETE',
      'repository-name': repositoryArn(ref),
      'finding-severity-counts': { ...Object.fromEntries(found), TOTAL: total },
      'image-digest': digest,
      'image-tags': tags,
    },
  }
}

/** A finding of an enhanced scan came, changed or was closed. `detail` is the finding as Inspector prints it. */
export function inspectorFinding(registry: Registry, imageArn: string, detail: object, at: Date): RegistryEvent {
  return {
    registry,
    source: 'aws.inspector2',
    detailType: 'Inspector2 Finding',
    resources: [imageArn],
    at,
    detail,
  }
}

/** An image was brought, or could not be brought, from an upstream registry. */
export function pullThroughCacheAction(
  ref: RepositoryRef,
  facts: {
    readonly prefix: string
    readonly upstream: string
    readonly tag?: Tag | undefined
    readonly digest?: Digest | undefined
    /** Absent: it was brought. */
    readonly failure?: { readonly code: string; readonly reason: string } | undefined
  },
  at: Date,
): RegistryEvent {
  const { prefix, upstream, tag, digest, failure } = facts
  return {
    registry: ref.registry,
    source: 'aws.ecr',
    detailType: 'ECR Pull Through Cache Action',
    resources: [repositoryArn(ref)],
    at,
    detail: {
      'rule-version': '1',
      'sync-status': failure === undefined ? 'SUCCESS' : 'FAILED',
      'ecr-repository-prefix': prefix,
      'repository-name': ref.name,
      'upstream-registry-url': upstream,
      ...(tag !== undefined && { 'image-tag': tag }),
      ...(digest !== undefined && { 'image-digest': digest }),
      ...(failure !== undefined && { 'failure-code': failure.code, 'failure-reason': failure.reason }),
    },
  }
}

/** An image arrived, or could not arrive, where it is replicated to: `destination`, in whose registry the event happens. */
export function replicationAction(
  destination: RepositoryRef,
  source: { readonly registryId: RegistryId; readonly region: Region },
  digest: Digest,
  tag: Tag | undefined,
  result: ReplicationDetail['result'],
  at: Date,
): RegistryEvent {
  return {
    registry: destination.registry,
    source: 'aws.ecr',
    detailType: 'ECR Replication Action',
    resources: [repositoryArn(destination)],
    at,
    detail: {
      result,
      'repository-name': destination.name,
      'image-digest': digest,
      'source-account': source.registryId,
      'action-type': 'REPLICATE',
      'source-region': source.region,
      ...(tag !== undefined && { 'image-tag': tag }),
    },
  }
}

/** Whether ECR has no such event. */
export function isExtension({ source, detailType, detail }: AnyEvent): boolean {
  if (source !== 'aws.ecr') return false
  if (detailType === 'ECR Repository Action') return true
  return detailType.endsWith(' Action') && 'action-type' in detail && detail['action-type'] === 'PULL'
}
