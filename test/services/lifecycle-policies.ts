import type { Digest } from '../../src/domain/digest.ts'
import type { ErrorCode } from '../../src/domain/errors.ts'
import { isRegistryError } from '../../src/domain/errors.ts'
import { parseTag } from '../../src/domain/names.ts'
import { admin, indexOf, manifestOf, pushImage, pushLayer, refTo, type Services } from '../support/service-fixture.ts'

export const DAY_MS = 86_400_000

export const ref = refTo('team/app')

type Members = Readonly<Record<string, unknown>>

export const untagged = { tagStatus: 'untagged' }
export const any = { tagStatus: 'any' }
export const tagged = (...tagPrefixList: readonly string[]) => ({ tagStatus: 'tagged', tagPrefixList })
export const keep = (countNumber: number) => ({ countType: 'imageCountMoreThan', countNumber })
export const days = (countNumber: number, countType = 'sinceImagePushed') => ({
  countType,
  countUnit: 'days',
  countNumber,
})
export const archive = { type: 'transition', targetStorageClass: 'archive' }

/** The text of a policy; rules in the order of their priority. */
export const policyOf = (...rules: readonly { readonly selection: Members; readonly action?: Members }[]): string =>
  JSON.stringify({
    rules: rules.map(({ selection, action = { type: 'expire' } }, at) => ({ rulePriority: at + 1, selection, action })),
  })

export const expireUntagged = policyOf({ selection: { ...untagged, ...days(1) } })

/** Pushes an image, one minute after the one before. */
export async function push(services: Services, content: string, ...tags: string[]): Promise<Digest> {
  services.clock.advance(60_000)
  return pushImage(services, ref, content, ...tags)
}

/** The same of an index. */
export async function pushIndex(services: Services, children: readonly Digest[], ...tags: string[]): Promise<Digest> {
  services.clock.advance(60_000)
  const manifest = indexOf(children)
  return (await services.images.push(admin, ref, { manifest, tags: tags.map(parseTag) })).image.digest
}

/** The same of an image that refers to another. */
export async function pushReferrer(
  services: Services,
  subject: Digest,
  content: string,
  ...tags: string[]
): Promise<Digest> {
  services.clock.advance(60_000)
  const config = await pushLayer(services, ref, `config of ${content}`)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = manifestOf(config, [], { subject: { mediaType, digest: subject, size: 5 } })
  return (await services.images.push(admin, ref, { manifest, tags: tags.map(parseTag) })).image.digest
}

/** The digests of the images that are there, by status. */
export async function present(
  services: Services,
  status: 'ACTIVE' | 'ARCHIVED' = 'ACTIVE',
): Promise<ReadonlySet<Digest>> {
  const { items } = await services.imageLists.describe(admin, ref, { status }, { limit: 1000 })
  return new Set(items.map(({ digest }) => digest))
}

/** Puts a policy and executes it at once. */
export async function execute(services: Services, text: string) {
  await services.lifecycle.putPolicy(admin, ref, text)
  const { runs } = await services.lifecycleJobs.run(ref)
  const [run] = runs
  if (run === undefined) throw new Error('The policy was not executed')
  return run
}

/** The code of the error that a promise ends with; `undefined` when it succeeds. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await promise
    return undefined
  } catch (thrown) {
    if (isRegistryError(thrown)) return thrown.code
    throw thrown
  }
}
