import { scanNotFound } from '../domain/errors.ts'
import type { ImageId } from '../domain/image.ts'
import type { RepositoryRef } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import type { Access } from './access.ts'
import { getImage } from './get-image.ts'
import { type Paging, pageAfter } from './paging.ts'
import { getRepository } from './repositories.ts'

/** What scans have found. No image has been scanned as long as nothing here scans: nobody is told that one is clean. */
export class ScanFindings {
  readonly #metadata: MetadataStore
  readonly #access: Access

  constructor(metadata: MetadataStore, access: Access) {
    this.#metadata = metadata
    this.#access = access
  }

  /** Throws `repository-not-found`, `image-not-found`, `invalid-parameter` (a token of no listing), and otherwise `scan-not-found`. */
  async describe(principal: Principal, ref: RepositoryRef, imageId: ImageId, paging: Paging): Promise<never> {
    await this.#access.authorize(principal, 'ecr:DescribeImageScanFindings', ref)
    pageAfter(paging)
    const { digest } = await this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      return getImage(view, id, imageId, ref, 'imageId')
    })
    throw scanNotFound({ ...imageId, digest }, ref)
  }
}
