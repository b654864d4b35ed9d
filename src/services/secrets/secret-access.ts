import type { MoreFacts } from '../../domain/iam/facts.ts'
import { isRegistryId, type Registry } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import { secretDeleted, secretNotFound } from '../../domain/secrets/errors.ts'
import { type ManagedSecret, namedArn, secretArn } from '../../domain/secrets/secret.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access, OtherResource } from '../access/access.ts'
import { homeOf, type KeyCaller } from '../kms/key-access.ts'

/** Who asks for something about secrets, and in which region. */
export type SecretCaller = KeyCaller

/** What is asked of a secret. */
export interface SecretAsk {
  readonly action: `secretsmanager:${string}`
  readonly facts?: MoreFacts | undefined
  readonly requestTags?: readonly ResourceTag[] | undefined
  readonly tagKeys?: readonly string[] | undefined
}

const ARN = /^arn:aws[a-z-]*:secretsmanager:([^:]*):([^:]*):secret:(.+)$/
const SUFFIX = /^(.+)-[a-zA-Z0-9]{6}$/

/** Finds secrets as callers name them (by name, by ARN, by ARN without its end), and asks whether they may. */
export class SecretAccess {
  readonly #metadata: MetadataStore
  readonly #access: Access

  constructor(metadata: MetadataStore, access: Access) {
    this.#metadata = metadata
    this.#access = access
  }

  /** Throws `access-denied`, `secret-not-found`. */
  async get(caller: SecretCaller, named: string, ask: SecretAsk): Promise<ManagedSecret> {
    const home = homeOf(caller)
    const [, region, account = home.registryId, rest = named] = ARN.exec(named) ?? []
    const isElsewhere = (region !== undefined && region !== home.region) || !isRegistryId(account)
    const place: Registry = isRegistryId(account) ? { registryId: account, region: home.region } : home
    const secret = isElsewhere ? undefined : await this.#find(place, rest, region !== undefined)
    await this.authorize(caller, ask, secret ?? { home: place, name: rest })
    if (secret === undefined) throw secretNotFound()
    return secret
  }

  /** The same, of a secret that is not marked for deletion. Throws `secret-request-invalid` also. */
  async getLive(caller: SecretCaller, named: string, ask: SecretAsk): Promise<ManagedSecret> {
    const secret = await this.get(caller, named, ask)
    if (secret.deletionAt !== undefined) throw secretDeleted()
    return secret
  }

  /** For a secret, or for what is none yet: known by its name alone, or `undefined` for all. */
  async authorize(
    caller: SecretCaller,
    { action, facts, requestTags, tagKeys }: SecretAsk,
    secret: ManagedSecret | { readonly home: Registry; readonly name: string } | undefined,
  ): Promise<void> {
    const { principal, region } = caller
    const owner = secret?.home.registryId ?? principal.accountId
    const isMade = secret !== undefined && 'id' in secret
    const arn = secret === undefined ? '*' : isMade ? secretArn(secret) : namedArn(secret.home, secret.name)
    const resource: OtherResource = {
      arn,
      ownerAccountId: owner,
      region,
      tags: async () => (isMade ? this.#metadata.view.managedSecrets.listTags(secret.id) : []),
    }
    const common = { 'secretsmanager:secretid': secret === undefined ? undefined : arn }
    const details = { requestTags, tagKeys, facts: { ...ABSENT, ...common, ...facts } }
    await this.#access.authorize(principal, action, resource, details)
  }

  async #find(home: Registry, text: string, isArn: boolean): Promise<ManagedSecret | undefined> {
    const { managedSecrets } = this.#metadata.view
    const byName = await managedSecrets.find(home, text)
    if (byName !== undefined || !isArn) return byName
    const [, name] = SUFFIX.exec(text) ?? []
    const found = name === undefined ? undefined : await managedSecrets.find(home, name)
    // The end of an ARN is that of this secret, or of an earlier one that had its name.
    return found !== undefined && `${found.name}-${found.suffix}` === text ? found : undefined
  }
}

/** What a request has only if its operation says so. */
const ABSENT: MoreFacts = {
  'secretsmanager:blockpublicpolicy': undefined,
  'secretsmanager:description': undefined,
  'secretsmanager:forcedeletewithoutrecovery': undefined,
  'secretsmanager:kmskeyid': undefined,
  'secretsmanager:name': undefined,
  'secretsmanager:recoverywindowindays': undefined,
  'secretsmanager:versionid': undefined,
  'secretsmanager:versionstage': undefined,
}
