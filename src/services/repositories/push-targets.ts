import { accountRootArn } from '../../domain/arn.ts'
import {
  type CreationOccasion,
  type CreationTemplate,
  prefixesOf,
  templateFor,
} from '../../domain/creation-template.ts'
import { MUTABLE } from '../../domain/mutability.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import { type Principal, rootPrincipal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import { templateRoleMissing } from '../../domain/template-errors.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { RepositoryKeys } from '../encryption/repository-keys.ts'
import type { Lifecycle } from '../lifecycle/lifecycle.ts'
import type { Blueprint, Repositories } from './repositories.ts'

const PLAIN: Blueprint = { mutability: MUTABLE, tags: [] }

/** What repositories are made by when a push finds none. */
export interface PushTargetParts {
  readonly metadata: MetadataStore
  readonly access: Access
  readonly repositories: Repositories
  readonly keys: RepositoryKeys
  readonly lifecycle: Lifecycle
}

export interface PushTargetRules {
  /** Whether a push makes the repository that is not there, by no template. */
  readonly isEveryPushWelcome: boolean
}

/** The repositories that a push makes: by a template for CREATE_ON_PUSH, or plain ones where the registry is set up to make all. What comes from another registry always makes its own. */
export class PushTargets {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #repositories: Repositories
  readonly #keys: RepositoryKeys
  readonly #lifecycle: Lifecycle
  readonly #isEveryPushWelcome: boolean

  constructor(parts: PushTargetParts, { isEveryPushWelcome }: PushTargetRules) {
    this.#metadata = parts.metadata
    this.#access = parts.access
    this.#repositories = parts.repositories
    this.#keys = parts.keys
    this.#lifecycle = parts.lifecycle
    this.#isEveryPushWelcome = isEveryPushWelcome
  }

  /**
   * Makes the repository of a push if it is missing and may be made (a public one never is); otherwise nothing happens, and the push finds out.
   * Throws `access-denied` when the pusher may push but not create.
   */
  async ensure(principal: Principal, ref: RepositoryRef): Promise<void> {
    if ((await this.#metadata.view.repositories.find(ref)) !== undefined) return
    // What the whole world may pull, somebody must have wanted.
    if (isPublic(ref.registry)) return
    const isReplicated = principal.circumstances.replicatedFrom !== undefined
    const template = await this.#templateFor(ref, isReplicated ? 'REPLICATION' : 'CREATE_ON_PUSH')
    if (template === undefined && !this.#isEveryPushWelcome && !isReplicated) return
    // Who may not push hears nothing about what is there.
    if (!(await this.#access.permits(principal, 'ecr:InitiateLayerUpload', ref))) return
    const blueprint = template === undefined ? PLAIN : await this.#blueprintOf(template, ref)
    await this.#repositories.ensure(principal, ref, blueprint)
  }

  /**
   * Makes the repository of a pull through a cache, if it is missing: by a template for PULL_THROUGH_CACHE, or a plain one. False when
   * the puller may not make it; what the template gives it is not his to give, but his account's.
   */
  async ensureCache(principal: Principal, ref: RepositoryRef): Promise<boolean> {
    if ((await this.#metadata.view.repositories.find(ref)) !== undefined) return true
    if (!(await this.#access.permits(principal, 'ecr:CreateRepository', ref))) return false
    const template = await this.#templateFor(ref, 'PULL_THROUGH_CACHE')
    const blueprint = template === undefined ? PLAIN : await this.#blueprintOf(template, ref)
    await this.#repositories.ensure(
      rootPrincipal(ref.registry.registryId, accountRootArn(ref.registry), ''),
      ref,
      blueprint,
    )
    return true
  }

  /** Whether a push would find the repository or make it. */
  async accepts(ref: RepositoryRef): Promise<boolean> {
    if ((await this.#metadata.view.repositories.find(ref)) !== undefined) return true
    if (isPublic(ref.registry)) return false
    return this.#isEveryPushWelcome || (await this.#templateFor(ref, 'CREATE_ON_PUSH')) !== undefined
  }

  async #blueprintOf(template: CreationTemplate, ref: RepositoryRef): Promise<Blueprint> {
    const {
      mutability,
      encryption: wish,
      resourceTags: tags,
      repositoryPolicy,
      lifecyclePolicy,
      customRoleArn,
    } = template
    const needsRole = tags.length > 0 || wish.type !== 'AES256'
    if (needsRole && customRoleArn === undefined) throw templateRoleMissing(template)
    // The repository is made for its account, whoever pushes: the account must have the use of the key.
    const { registryId } = ref.registry
    const account = rootPrincipal(registryId, accountRootArn(ref.registry), '')
    const encryption = await this.#keys.choose(account, ref, wish)
    return {
      mutability,
      tags,
      encryption,
      complete: async (tx, repository) => {
        if (repositoryPolicy !== undefined) await tx.policies.putOfRepository(repository, repositoryPolicy)
        if (lifecyclePolicy !== undefined) await this.#lifecycle.attachPolicy(tx, repository.id, lifecyclePolicy)
      },
    }
  }

  async #templateFor(
    { registry, name }: RepositoryRef,
    occasion: CreationOccasion,
  ): Promise<CreationTemplate | undefined> {
    const templates = await this.#metadata.view.creationTemplates.findMany(registry, prefixesOf(name))
    return templateFor(templates, name, occasion)
  }
}
