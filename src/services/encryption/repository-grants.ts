import { repositoryArn } from '../../domain/arn.ts'
import { accessDenied } from '../../domain/errors.ts'
import { asKmsFailure } from '../../domain/kms/errors.ts'
import { permits } from '../../domain/kms/grant.ts'
import type { KmsKey } from '../../domain/kms/key.ts'
import type { Registry } from '../../domain/names.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import { newGrantIdentity } from '../kms/key-grants.ts'

/** What ECR does with the key of a repository; for each it has a grant. */
const OPERATIONS = ['GenerateDataKey', 'Decrypt'] as const

export type RepositoryOperation = (typeof OPERATIONS)[number]

/** The service that uses the keys of a region's repositories, as key policies and grants name it. */
export function ecrPrincipal({ region }: Registry): string {
  return `ecr.${region}.amazonaws.com`
}

/** The grants by which ECR uses the keys of repositories: two for each, which go with it. Whoever revokes them takes its content out of use. */
export class RepositoryGrants {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(metadata: MetadataStore, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#clock = clock
    this.#ids = ids
  }

  /** Throws `kms-key-unusable` when the grant was revoked. A repository without a key of KMS needs none; a key that is gone is told by who uses it. */
  async assert(repository: Repository, operation: RepositoryOperation): Promise<void> {
    const arn = keyArnOf(repository)
    if (arn === undefined) return
    const key = await this.#metadata.view.keys.find(keyIdOf(arn))
    if (key === undefined) return
    const grants = await this.#metadata.view.keys.grantsFor(key.id, [ecrPrincipal(repository.registry)])
    if (grants.some((grant) => permits(grant, operation, contextOf(repository)))) return
    const service = ecrPrincipal(repository.registry)
    throw asKmsFailure(accessDenied(service, `kms:${operation}`, arn, 'because no grant of the key allows it'))
  }

  async create(tx: MetadataWriter, repository: Repository, key: KmsKey): Promise<void> {
    const service = ecrPrincipal(repository.registry)
    for (const operation of OPERATIONS)
      await tx.keys.insertGrant(key.id, {
        ...newGrantIdentity(this.#ids, this.#clock),
        grantee: service,
        retiringPrincipal: service,
        operations: [operation, 'RetireGrant'],
        constraints: { subset: contextOf(repository) },
        issuingAccount: repository.registry.registryId,
      })
  }

  /** Revoked ones, and those of a key that is gone, are fine. */
  async retire(tx: MetadataWriter, repository: Repository): Promise<void> {
    const arn = keyArnOf(repository)
    const key = arn === undefined ? undefined : await tx.keys.find(keyIdOf(arn))
    if (key === undefined) return
    const wanted = contextOf(repository)['aws:ecr:arn']
    for (const grant of await tx.keys.grantsFor(key.id, [ecrPrincipal(repository.registry)]))
      if (grant.constraints?.subset?.['aws:ecr:arn'] === wanted) await tx.keys.deleteGrant(key.id, grant.grantId)
  }
}

/** The KMS key of a repository; `undefined`: it has none. */
export function keyArnOf({ encryption }: Repository): string | undefined {
  return encryption.type === 'AES256' ? undefined : encryption.kmsKeyArn
}

function keyIdOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1)
}

function contextOf(repository: Pick<Repository, 'registry' | 'name'>): Readonly<Record<'aws:ecr:arn', string>> {
  return { 'aws:ecr:arn': repositoryArn(repository) }
}
