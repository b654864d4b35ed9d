import { invalidParameter } from '../../domain/errors.ts'
import type { Image, ImageId } from '../../domain/image.ts'
import type { Registry, RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { SigningConfiguration } from '../../domain/signing/configuration.ts'
import { signingConfigurationNotFound } from '../../domain/signing/errors.ts'
import { parseProfileFor } from '../../domain/signing/profile.ts'
import type { ImageSigning } from '../../domain/signing/signing.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { getImage } from '../images/get-image.ts'
import { getRepository } from '../repositories/repositories.ts'

const RULES_MAX = 10

/** What a registry has signed when it is pushed, and how far that has come. */
export class Signing {
  readonly #metadata: MetadataStore
  readonly #access: Access

  constructor(metadata: MetadataStore, access: Access) {
    this.#metadata = metadata
    this.#access = access
  }

  /** Replaces the configuration; acts on pushes from now on. Throws `invalid-parameter`. */
  async putConfiguration(principal: Principal, registry: Registry, configuration: SigningConfiguration): Promise<void> {
    await this.#access.authorize(principal, 'ecr:PutSigningConfiguration', registry)
    const { rules } = configuration
    if (rules.length > RULES_MAX) throw invalidParameter('rules', `Member must have at most ${RULES_MAX} items`)
    for (const { profileArn } of rules) parseProfileFor(profileArn, registry)
    await this.#metadata.transact((tx) => tx.signings.putConfiguration(registry, configuration))
  }

  /** Throws `signing-configuration-not-found`. */
  async getConfiguration(principal: Principal, registry: Registry): Promise<SigningConfiguration> {
    await this.#access.authorize(principal, 'ecr:GetSigningConfiguration', registry)
    const configuration = await this.#metadata.view.signings.findConfiguration(registry)
    if (configuration === undefined) throw signingConfigurationNotFound(registry)
    return configuration
  }

  /** Answers what was removed. What is signed stays so, and what was asked for is still made. Throws `signing-configuration-not-found`. */
  async deleteConfiguration(principal: Principal, registry: Registry): Promise<SigningConfiguration> {
    await this.#access.authorize(principal, 'ecr:DeleteSigningConfiguration', registry)
    const configuration = await this.#metadata.transact((tx) => tx.signings.deleteConfiguration(registry))
    if (configuration === undefined) throw signingConfigurationNotFound(registry)
    return configuration
  }

  /** One entry for each profile that has signed the image, or was to. Throws `repository-not-found`, `image-not-found`. */
  async statusOf(
    principal: Principal,
    ref: RepositoryRef,
    imageId: ImageId,
  ): Promise<{ readonly image: Image; readonly signings: readonly ImageSigning[] }> {
    await this.#access.authorize(principal, 'ecr:DescribeImageSigningStatus', ref)
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const image = await getImage(view, id, imageId, ref, 'imageId')
      return { image, signings: await view.signings.listOfImage(image.id) }
    })
  }
}
