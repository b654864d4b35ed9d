import type { OidcProvider } from '../../domain/iam-entities/entity.ts'
import { invalidInput, providerNotFound, quotaExceeded } from '../../domain/iam-entities/errors.ts'
import { parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import { checkThumbprints, providerNameOf } from '../../domain/iam-entities/oidc-url.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import { checkTags } from '../../domain/iam-entities/tags.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'
import type { RequestDetails } from '../access/access.ts'
import type { Entities, IamAction } from './entities.ts'

export interface NewProvider {
  readonly url: string
  readonly clientIds: readonly string[]
  readonly thumbprints: readonly string[]
  readonly tags: readonly ResourceTag[]
}

/** The OpenID Connect providers whose tokens an account's roles may trust. */
export class OidcProviders {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Answers its ARN. Throws `invalid-parameter`, `input-invalid`, `entity-exists`, `quota-exceeded`. */
  async create(principal: Principal, { url, clientIds, thumbprints, tags }: NewProvider): Promise<string> {
    const { accountId } = principal
    const name = providerNameOf(url)
    const entity = { accountId, kind: 'oidc-provider', name, path: '/' } as const
    const arn = this.#entities.arnOf(entity)
    await this.#entities.authorizeNew(principal, 'OpenIDConnectProvider', arn, tags)
    checkTags(tags)
    checkThumbprints(thumbprints, IAM_QUOTAS.thumbprintsPerProvider)
    checkClientIds(clientIds)
    const attributes = { url, clientIds: [...new Set(clientIds)], thumbprints }
    const provider = { ...entity, uniqueId: arn, createdAt: this.#entities.clock.now(), tags, attributes }
    const quota = { things: 'OpenIdConnectProvidersPerAccount', limit: IAM_QUOTAS.providers }
    await this.#entities.metadata.transact((tx) => this.#entities.insert(tx, provider, quota))
    return arn
  }

  /** Throws `input-invalid`, `entity-not-found`. */
  async get(principal: Principal, arn: string): Promise<OidcProvider> {
    return this.find(principal, 'iam:GetOpenIDConnectProvider', arn)
  }

  /** The ARNs of all of them. */
  async list(principal: Principal): Promise<readonly string[]> {
    await this.#entities.authorize(principal, 'iam:ListOpenIDConnectProviders')
    const page = { limit: IAM_QUOTAS.providers }
    const providers = await this.#entities.metadata.view.iam.list('oidc-provider', principal.accountId, page)
    return providers.map((provider) => this.#entities.arnOf(provider))
  }

  /** Throws `entity-not-found`. */
  async delete(principal: Principal, arn: string): Promise<void> {
    await this.change(principal, 'iam:DeleteOpenIDConnectProvider', arn, (provider, { iam }) => iam.delete(provider.id))
  }

  /** One that it has already is fine. Throws `entity-not-found`, `quota-exceeded`. */
  async addClientId(principal: Principal, arn: string, clientId: string): Promise<void> {
    await this.change(principal, 'iam:AddClientIDToOpenIDConnectProvider', arn, async (provider, { iam }) => {
      const clientIds = [...new Set([...provider.attributes.clientIds, clientId])]
      checkClientIds(clientIds)
      await iam.update({ ...provider, attributes: { ...provider.attributes, clientIds } })
    })
  }

  /** One that it has not is fine. Throws `entity-not-found`. */
  async removeClientId(principal: Principal, arn: string, clientId: string): Promise<void> {
    await this.change(principal, 'iam:RemoveClientIDFromOpenIDConnectProvider', arn, async (provider, { iam }) => {
      const clientIds = provider.attributes.clientIds.filter((one) => one !== clientId)
      await iam.update({ ...provider, attributes: { ...provider.attributes, clientIds } })
    })
  }

  /** Throws `entity-not-found`, `input-invalid`. */
  async setThumbprints(principal: Principal, arn: string, thumbprints: readonly string[]): Promise<void> {
    await this.change(principal, 'iam:UpdateOpenIDConnectProviderThumbprint', arn, async (provider, { iam }) => {
      checkThumbprints(thumbprints, IAM_QUOTAS.thumbprintsPerProvider)
      await iam.update({ ...provider, attributes: { ...provider.attributes, thumbprints } })
    })
  }

  /** The provider of an ARN, once authorised. Throws `input-invalid`, `entity-not-found`. */
  async find(
    principal: Principal,
    action: IamAction,
    arn: string,
    details: RequestDetails = {},
  ): Promise<OidcProvider> {
    const parsed = parseIamArn(arn)
    if (parsed?.kind !== 'oidc-provider' || parsed.accountId === 'aws') throw invalidInput(`ARN ${arn} is not valid.`)
    const found = await this.#entities.metadata.view.iam.find('oidc-provider', principal.accountId, parsed.name)
    const provider = found !== undefined && this.#entities.arnOf(found) === arn ? found : undefined
    const tags = async () => provider?.tags ?? []
    await this.#entities.authorizeTagged(principal, action, { arn, ownerAccountId: parsed.accountId, tags }, details)
    if (provider === undefined) throw providerNotFound(arn)
    return provider
  }

  /** The same, and the work on it inside a transaction. */
  async change(
    principal: Principal,
    action: IamAction,
    arn: string,
    work: (provider: OidcProvider, tx: MetadataWriter) => Promise<void>,
    details: RequestDetails = {},
  ): Promise<void> {
    const { name } = await this.find(principal, action, arn, details)
    await this.#entities.metadata.transact(async (tx) => {
      const provider = await tx.iam.find('oidc-provider', principal.accountId, name)
      if (provider === undefined) throw providerNotFound(arn)
      await work(provider, tx)
    })
  }
}

function checkClientIds(clientIds: readonly string[]): void {
  const limit = IAM_QUOTAS.clientIdsPerProvider
  if (clientIds.length > limit) throw quotaExceeded('ClientIdsPerOpenIdConnectProvider', limit)
}
