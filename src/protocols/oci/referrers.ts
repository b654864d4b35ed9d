import { type Digest, parseDigest } from '../../domain/digest.ts'
import { isRegistryError } from '../../domain/errors.ts'
import type { Image } from '../../domain/image.ts'
import { MEDIA_TYPE } from '../../domain/manifest.ts'
import type { PageOf } from '../../services/paging.ts'
import { queryOf, type RepositoryCall, repositoryUrl } from './call.ts'
import { nextLink } from './page-size.ts'
import { answerJson } from './responses.ts'

/** Clients read a listing like a manifest, of which many take 4 MiB at the most: a page ends well before that. */
const PAGE_BYTES_MAX = 1024 * 1024
const PAGE_SIZE_MAX = 500
const STEP = 50

interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly artifactType?: string | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

interface ReferrersPage {
  readonly manifests: readonly Descriptor[]
  readonly nextToken?: string | undefined
}

/** `GET referrers/<digest>`: an index of what refers to the digest, known or not (OCI distribution, "Listing referrers"). */
export async function listReferrers(call: RepositoryCall, operand: string): Promise<Response> {
  const subject = parseDigest(operand)
  const query = queryOf(call.request)
  const artifactType = query.get('artifactType') || undefined
  const { manifests, nextToken } = await readPage(call, subject, artifactType, query.get('nextToken') ?? undefined)
  const filter: Record<string, string> = artifactType === undefined ? {} : { artifactType }
  const link =
    nextToken === undefined
      ? undefined
      : nextLink(repositoryUrl(call, `referrers/${subject}`), { ...filter, nextToken })
  return answerJson(
    call.context,
    200,
    { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests },
    {
      'Content-Type': MEDIA_TYPE.ociIndex,
      'OCI-Filters-Applied': artifactType === undefined ? undefined : 'artifactType',
      Link: link,
    },
  )
}

/** Small steps until the page is full, so that annotations of any size make a shorter page, not a larger one. */
async function readPage(
  { services, principal, ref }: RepositoryCall,
  subject: Digest,
  artifactType: string | undefined,
  token: string | undefined,
): Promise<ReferrersPage> {
  const manifests: Descriptor[] = []
  let sizeBytes = 0
  const take = (images: readonly Image[]): void => {
    for (const image of images.slice(manifests.length)) {
      const descriptor = describe(image)
      manifests.push(descriptor)
      sizeBytes += JSON.stringify(descriptor).length
    }
  }
  const isEnough = (images: readonly Image[]): boolean => {
    take(images)
    return sizeBytes >= PAGE_BYTES_MAX || manifests.length >= PAGE_SIZE_MAX
  }
  if (token === undefined) await services.pullThrough.bringReferrers(principal, ref, subject)
  const filter = { artifactTypes: artifactType === undefined ? [] : [artifactType], status: 'ACTIVE' } as const
  const paging = { limit: STEP, token }
  const page: PageOf<Image> = await services.imageLists
    .listReferrers(principal, ref, subject, filter, paging, isEnough)
    .catch(async (thrown: unknown) => {
      // A missing repository that a push would make is an empty one.
      if (isRegistryError(thrown, 'repository-not-found') && (await services.pushTargets.accepts(ref)))
        return { items: [] }
      throw thrown
    })
  take(page.items)
  return { manifests, nextToken: page.nextToken }
}

function describe({ mediaType, digest, manifestSizeBytes, artifactType, annotations }: Image): Descriptor {
  return { mediaType, digest, size: manifestSizeBytes, artifactType, annotations }
}
