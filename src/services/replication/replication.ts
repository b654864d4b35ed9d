import type { Image, ImageId } from '../../domain/image.ts'
import { type Registry, type RepositoryName, type RepositoryRef, sameRegistry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import {
  checkConfiguration,
  destinationsOf,
  NO_REPLICATION,
  type ReplicationConfiguration,
} from '../../domain/replication/configuration.ts'
import type { ImageReplication } from '../../domain/replication/replication.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { getImage } from '../images/get-image.ts'
import { getRepository } from '../repositories/repositories.ts'

/** By which role ECR replicates, as IAM knows it. */
export interface ReplicationRole {
  /** Makes the role in the principal's account and name, if it is missing. Throws `access-denied`. */
  ensure(principal: Principal): Promise<void>
}

/** To where registries copy their images, and how far each has come. */
export class Replication {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #role: ReplicationRole | undefined

  /** Without a `role`, none is needed. */
  constructor(metadata: MetadataStore, access: Access, role?: ReplicationRole) {
    this.#metadata = metadata
    this.#access = access
    this.#role = role
  }

  /** Replaces the configuration; acts on pushes from now on, and what failed on its way to where nothing goes any more is forgotten. Throws `invalid-parameter`. */
  async putConfiguration(
    principal: Principal,
    registry: Registry,
    configuration: ReplicationConfiguration,
  ): Promise<void> {
    await this.#access.authorize(principal, 'ecr:PutReplicationConfiguration', registry)
    checkConfiguration(registry, configuration)
    if (configuration.rules.length > 0) await this.#role?.ensure(principal)
    const isUnwanted = (name: RepositoryName, destination: Registry) =>
      !destinationsOf(configuration, name).some((one) => sameRegistry(one, destination))
    await this.#metadata.transact(async (tx) => {
      await tx.replications.putConfiguration(registry, configuration)
      // Nobody is to be warned of a copy that is not wanted any more.
      await tx.replications.forgetFailed(registry, isUnwanted)
    })
  }

  /** The registry's, which has no rules when none was ever put. */
  async describeRegistry(principal: Principal, registry: Registry): Promise<ReplicationConfiguration> {
    await this.#access.authorize(principal, 'ecr:DescribeRegistry', registry)
    return (await this.#metadata.view.replications.findConfiguration(registry)) ?? NO_REPLICATION
  }

  /** One entry for each registry that the image was, or is to be, copied to. Throws `repository-not-found`, `image-not-found`. */
  async statusOf(
    principal: Principal,
    ref: RepositoryRef,
    imageId: ImageId,
  ): Promise<{ readonly image: Image; readonly replications: readonly ImageReplication[] }> {
    await this.#access.authorize(principal, 'ecr:DescribeImageReplicationStatus', ref)
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const image = await getImage(view, id, imageId, ref, 'imageId')
      return { image, replications: await view.replications.listOfImage(image.id) }
    })
  }
}
