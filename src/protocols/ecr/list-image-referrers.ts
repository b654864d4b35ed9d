import { parseDigest } from '../../domain/digest.ts'
import type { Image } from '../../domain/image.ts'
import type { EcrOperation, EcrOutput } from './operation.ts'
import { pagingOf } from './pages.ts'
import { repositoryRef } from './references.ts'

const PAGE_ITEMS = 20

type Referrer = NonNullable<EcrOutput<'ListImageReferrers'>['referrers']>[number]

/** Only active referrers are shown unless the filter asks for others. */
export const listImageReferrers: EcrOperation<'ListImageReferrers'> = async (input, call) => {
  const { artifactTypes, artifactStatus = 'ACTIVE' } = input.filter ?? {}
  const ref = repositoryRef(input, call)
  const subject = parseDigest(input.subjectId.imageDigest)
  if (input.nextToken === undefined) await call.pullThrough.bringReferrers(call.principal, ref, subject)
  const page = await call.imageLists.listReferrers(
    call.principal,
    ref,
    subject,
    { artifactTypes, status: artifactStatus },
    pagingOf(input, PAGE_ITEMS),
  )
  return { referrers: page.items.map(referrer), nextToken: page.nextToken }
}

function referrer({ digest, mediaType, manifestSizeBytes, artifactType, annotations, status }: Image): Referrer {
  return { digest, mediaType, size: manifestSizeBytes, artifactType, annotations, artifactStatus: status }
}
