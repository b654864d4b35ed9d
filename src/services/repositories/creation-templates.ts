import { type CreationOccasion, type CreationTemplate, namesUnder } from '../../domain/creation-template.ts'
import { invalidParameter, invalidParameters } from '../../domain/errors.ts'
import { parseRepositoryPolicy } from '../../domain/iam/parse.ts'
import { parseLifecyclePolicy } from '../../domain/lifecycle/parse.ts'
import { MUTABLE, type MutabilityMode, type TagMutability } from '../../domain/mutability.ts'
import type { Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { EncryptionWish, ResourceTag } from '../../domain/repository.ts'
import { templateNotFound } from '../../domain/template-errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access, Action, RequestDetails } from '../access/access.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import { RESOURCE_TAGS_MAX, resourceTagMistake, tagMutability } from './repository-settings.ts'

const PASSED_TO = { facts: { 'iam:passedtoservice': 'ecr.amazonaws.com' } } as const

const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]{2,25}:[0-9]{12}:key\/[0-9a-f-]{1,64}$/
const ROLE_ARN = /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[\w+=,.@/-]{1,512}$/

/** What a caller says of a template. What is absent keeps its value, or its default in a new template; an empty text takes a text away. */
export interface TemplateSettings {
  readonly appliedFor?: readonly CreationOccasion[] | undefined
  readonly description?: string | undefined
  readonly mutabilityMode?: MutabilityMode | undefined
  readonly exclusionFilters?: readonly string[] | undefined
  readonly encryption?: EncryptionWish | undefined
  readonly repositoryPolicy?: string | undefined
  readonly lifecyclePolicy?: string | undefined
  readonly resourceTags?: readonly ResourceTag[] | undefined
  readonly customRoleArn?: string | undefined
}

/** Repository creation templates: made, changed, shown and deleted. `PushTargets` makes repositories by them. */
export class CreationTemplates {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock

  constructor(metadata: MetadataStore, access: Access, clock: Clock) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
  }

  /** Throws `template-exists`, `invalid-parameter`. */
  async create(
    principal: Principal,
    registry: Registry,
    prefix: string,
    settings: TemplateSettings,
  ): Promise<CreationTemplate> {
    await this.#access.authorize(principal, 'ecr:CreateRepositoryCreationTemplate', registry, tagged(settings))
    await this.#authorizeEffects(principal, registry, prefix, settings)
    const now = this.#clock.now()
    const blank: CreationTemplate = {
      registry,
      prefix,
      appliedFor: [],
      mutability: MUTABLE,
      encryption: { type: 'AES256' },
      resourceTags: [],
      createdAt: now,
      updatedAt: now,
    }
    const template = changed(blank, settings)
    await this.#metadata.transact((tx) => tx.creationTemplates.insert(template))
    return template
  }

  /** Acts on repositories that are made from then on. Throws `template-not-found`, and as `create`. */
  async update(
    principal: Principal,
    registry: Registry,
    prefix: string,
    settings: TemplateSettings,
  ): Promise<CreationTemplate> {
    await this.#access.authorize(principal, 'ecr:UpdateRepositoryCreationTemplate', registry, tagged(settings))
    await this.#authorizeEffects(principal, registry, prefix, settings)
    return this.#metadata.transact(async (tx) => {
      const [known] = await tx.creationTemplates.findMany(registry, [prefix])
      if (known === undefined) throw templateNotFound({ registry, prefix })
      const template = { ...changed(known, settings), updatedAt: this.#clock.now() }
      await tx.creationTemplates.update(template)
      return template
    })
  }

  /** A template acts on its author's word, whoever pushes: it gives nothing that he may not give himself. */
  async #authorizeEffects(
    principal: Principal,
    registry: Registry,
    prefix: string,
    settings: TemplateSettings,
  ): Promise<void> {
    const { repositoryPolicy, lifecyclePolicy, resourceTags = [], customRoleArn } = settings
    const repositories = { registry, name: namesUnder(prefix) }
    const actions: Action[] = ['ecr:CreateRepository']
    if (repositoryPolicy) actions.push('ecr:SetRepositoryPolicy')
    if (lifecyclePolicy) actions.push('ecr:PutLifecyclePolicy')
    if (resourceTags.length > 0) actions.push('ecr:TagResource')
    for (const action of actions) await this.#access.authorize(principal, action, repositories, tagged(settings))
    if (customRoleArn) {
      const role = { arn: customRoleArn, ownerAccountId: registry.registryId, region: registry.region }
      await this.#access.authorize(principal, 'iam:PassRole', role, PASSED_TO)
    }
  }

  /** Those of the prefixes that are there. */
  async getMany(
    principal: Principal,
    registry: Registry,
    prefixes: readonly string[],
  ): Promise<readonly CreationTemplate[]> {
    await this.#access.authorize(principal, 'ecr:DescribeRepositoryCreationTemplates', registry)
    return this.#metadata.view.creationTemplates.findMany(registry, prefixes)
  }

  /** One page of a registry's templates by prefix. */
  async list(principal: Principal, registry: Registry, paging: Paging): Promise<PageOf<CreationTemplate>> {
    await this.#access.authorize(principal, 'ecr:DescribeRepositoryCreationTemplates', registry)
    const page = { after: pageAfter(paging), limit: paging.limit + 1 }
    const rows = await this.#metadata.view.creationTemplates.list(registry, page)
    return pageOf(rows, paging.limit, ({ prefix }) => prefix)
  }

  /** Answers what was deleted. Throws `template-not-found`. */
  async delete(principal: Principal, registry: Registry, prefix: string): Promise<CreationTemplate> {
    await this.#access.authorize(principal, 'ecr:DeleteRepositoryCreationTemplate', registry)
    return this.#metadata.transact(async (tx) => {
      const [known] = await tx.creationTemplates.findMany(registry, [prefix])
      if (known === undefined) throw templateNotFound({ registry, prefix })
      await tx.creationTemplates.delete(registry, prefix)
      return known
    })
  }
}

function tagged({ resourceTags }: TemplateSettings): RequestDetails {
  return { requestTags: resourceTags }
}

/** The template with the settings that are given, each checked as for a repository. */
function changed(template: CreationTemplate, settings: TemplateSettings): CreationTemplate {
  const {
    appliedFor = template.appliedFor,
    resourceTags = template.resourceTags,
    encryption = template.encryption,
  } = settings
  // Whether the key can be used turns out when a repository is made.
  if (encryption.kmsKey !== undefined && !KEY_ARN.test(encryption.kmsKey))
    throw invalidParameter('encryptionConfiguration.kmsKey', 'Invalid ARN')
  if (appliedFor.length === 0) throw invalidParameters('Invalid request parameters: appliedFor cannot be empty')
  const repositoryPolicy = text(settings.repositoryPolicy, template.repositoryPolicy)
  if (settings.repositoryPolicy && repositoryPolicy !== undefined) parseRepositoryPolicy(repositoryPolicy)
  const lifecyclePolicy = text(settings.lifecyclePolicy, template.lifecyclePolicy)
  if (settings.lifecyclePolicy && lifecyclePolicy !== undefined) parseLifecyclePolicy(lifecyclePolicy)
  const customRoleArn = text(settings.customRoleArn, template.customRoleArn)
  if (customRoleArn !== undefined && !ROLE_ARN.test(customRoleArn))
    throw invalidParameter('customRoleArn', 'Invalid ARN')
  return {
    ...template,
    appliedFor: [...new Set(appliedFor)],
    description: text(settings.description, template.description),
    mutability: changedMutability(template.mutability, settings),
    repositoryPolicy,
    lifecyclePolicy,
    encryption,
    resourceTags: checkedTags(resourceTags),
    customRoleArn,
  }
}

/** Checked as those of a repository, but the model gives the exceptions about tags to repositories alone. */
function checkedTags(tags: readonly ResourceTag[]): readonly ResourceTag[] {
  if (tags.length > RESOURCE_TAGS_MAX)
    throw invalidParameter('resourceTags', `Member must have length less than or equal to ${RESOURCE_TAGS_MAX}`)
  const mistake = resourceTagMistake(tags)
  if (mistake !== undefined) throw invalidParameter('resourceTags', mistake)
  return tags
}

/** Filters stay with the mode they were given for. */
function changedMutability(
  known: TagMutability,
  { mutabilityMode, exclusionFilters }: TemplateSettings,
): TagMutability {
  const mode = mutabilityMode ?? known.mode
  const kept = mode === known.mode ? known.exclusionFilters : []
  return tagMutability({ mode, exclusionFilters: exclusionFilters ?? kept })
}

/** An empty text takes the text away. */
function text(given: string | undefined, known: string | undefined): string | undefined {
  return given === undefined ? known : given === '' ? undefined : given
}
