import type { Image } from '../domain/image.ts'
import type { Registry, RepositoryRef } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import type { SigningConfiguration } from '../domain/signing/configuration.ts'
import type { ImageSigning, SigningFailure } from '../domain/signing/signing.ts'
import type { Page } from './page.ts'

/** A signature that is to be made, and everything that it takes. */
export interface PendingSigning {
  /** The store's own key, ascending with time. */
  readonly id: number
  readonly ref: RepositoryRef
  readonly image: Pick<Image, 'digest' | 'mediaType' | 'manifestSizeBytes'>
  readonly profileArn: string
  /** The pusher, in whose name it is made. */
  readonly principal: Principal
}

/** What is signed in a registry, and how far that has come. */
export interface SigningReader {
  findConfiguration(registry: Registry): Promise<SigningConfiguration | undefined>
  /** In the order in which they were asked for. */
  listOfImage(imageId: number): Promise<readonly ImageSigning[]>
  /** Signings that have not ended, of every repository that is there, in ascending order of id. */
  listUnfinished(page: Page<number>): Promise<readonly PendingSigning[]>
}

/** What belongs to an image goes when the image goes. */
export interface SigningWriter extends SigningReader {
  putConfiguration(registry: Registry, configuration: SigningConfiguration): Promise<void>
  /** Answers what was removed. */
  deleteConfiguration(registry: Registry): Promise<SigningConfiguration | undefined>
  /** Asks for a signature by each profile that has not signed the image and is not about to; answers for how many. */
  request(image: Image, profileArns: readonly string[], principal: Principal): Promise<number>
  /** Ends one signing, without a failure as complete. False: it has ended before, or its image is gone. */
  end(id: number, failure?: SigningFailure): Promise<boolean>
}
