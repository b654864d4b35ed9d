import { repositoryArn } from '../../domain/arn.ts'
import {
  actionKey,
  PUBLIC_REPOSITORY_ACTION_KEYS,
  publicActionKey,
  REPOSITORY_ACTION_KEYS,
} from '../../domain/iam/actions.ts'
import type { ImageFacts, MoreFacts } from '../../domain/iam/facts.ts'
import type { Registry, RegistryId, RepositoryName, RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { ResourceTag } from '../../domain/repository.ts'

/** A permission as AWS writes it: `ecr:PutImage`. In a public registry an `ecr:` permission means ECR Public's of the same name. */
export type Action = `${string}:${string}`

/** What an action is about, where it is no repository and no registry: a key, a secret, a role, a user. */
export interface OtherResource {
  /** `*` for actions that name no resource. */
  readonly arn: string
  readonly ownerAccountId: RegistryId
  readonly region?: string | undefined
  /** Looked up only when a policy asks for them. */
  readonly tags?: (() => Promise<readonly ResourceTag[]>) | undefined
  /** The resource's own policy. `trust`: that of a role, which names no resource. */
  readonly policy?: { readonly name: string; readonly text: string; readonly kind: 'resource' | 'trust' } | undefined
  /** Nobody gets in whom its policy does not name, not even its own account: a key, a role. */
  readonly isClosed?: boolean | undefined
}

export type AccessResource = RepositoryRef | Registry | OtherResource

/** What a request says beyond its action and resource, as far as policies may ask. */
export interface RequestDetails {
  /** The tags that it would give. */
  readonly requestTags?: readonly ResourceTag[] | undefined
  /** The keys of the tags that it would give or take; those of `requestTags` when absent. */
  readonly tagKeys?: readonly string[] | undefined
  /** The images that it is about: each of them must be permitted. Looked up only when a policy asks for them. */
  readonly images?: (() => Promise<readonly ImageFacts[]>) | undefined
  /** What the service's own condition keys say, by key in lower case; `undefined`: the key is absent from this request. */
  readonly facts?: MoreFacts | undefined
}

/** A request as the policies' world names it. */
export interface NamedRequest {
  /** As policies compare it. */
  readonly key: string
  /** As error texts write it. */
  readonly action: string
  readonly arn: string
  readonly ownerAccountId: RegistryId
  readonly region: string | undefined
}

/** What a copy of an image from another registry does, which is one permission: to replicate images. */
const REPLICATED_ACTIONS: ReadonlySet<Action> = new Set<Action>([
  'ecr:BatchCheckLayerAvailability',
  'ecr:CompleteLayerUpload',
  'ecr:InitiateLayerUpload',
  'ecr:PutImage',
  'ecr:UploadLayerPart',
])

/** What is asked for in the policies' terms. */
export function askedBy({ circumstances }: Principal, action: Action): Action {
  return circumstances.replicatedFrom !== undefined && REPLICATED_ACTIONS.has(action) ? 'ecr:ReplicateImage' : action
}

/** Names action and resource as policies and error texts do. A listing of repositories asks for all of them. */
export function named(action: Action, resource: AccessResource): NamedRequest {
  if ('arn' in resource) {
    const { arn, ownerAccountId, region } = resource
    return { key: keyOf(action, KEYS, lower), action, arn, ownerAccountId, region }
  }
  const registry = registryOf(resource)
  const { registryId: ownerAccountId, region } = registry
  const name = action.slice(action.indexOf(':') + 1)
  if (isPublic(registry)) {
    const key = keyOf(action, PUBLIC_KEYS, () => publicActionKey(name))
    const arn = arnOf(resource, key, () => `arn:aws:ecr-public::${ownerAccountId}:registry/${ownerAccountId}`)
    return { key, action: `ecr-public:${name}`, arn, ownerAccountId, region: 'us-east-1' }
  }
  const key = keyOf(action, KEYS, () => actionKey(name))
  return { key, action, arn: arnOf(resource, key, () => '*'), ownerAccountId, region }
}

export function registryOf(resource: RepositoryRef | Registry): Registry {
  return 'registry' in resource ? resource.registry : resource
}

/** Whether an action is about repositories, even where none is named. */
export function isOfRepositories(key: string): boolean {
  return REPOSITORY_ACTION_KEYS.has(key) || PUBLIC_REPOSITORY_ACTION_KEYS.has(key)
}

function arnOf(resource: RepositoryRef | Registry, key: string, ofRegistry: () => string): string {
  if ('registry' in resource) return repositoryArn(resource)
  if (isOfRepositories(key)) return repositoryArn({ registry: resource, name: '*' as RepositoryName })
  return key.endsWith(':getauthorizationtoken') ? '*' : ofRegistry()
}

/** The keys of the actions that were asked for: few, and on the way of every request. */
const KEYS = new Map<Action, string>()
const PUBLIC_KEYS = new Map<Action, string>()
const KEYS_MAX = 10_000

function keyOf(action: Action, keys: Map<Action, string>, make: (action: Action) => string): string {
  let key = keys.get(action)
  if (key === undefined) {
    key = make(action)
    if (keys.size < KEYS_MAX) keys.set(action, key)
  }
  return key
}

function lower(action: Action): string {
  return action.toLowerCase()
}
