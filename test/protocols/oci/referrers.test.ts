import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sha256 } from '../../support/image-builder.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../support/service-fixture.ts'
import { createPlane, createRepository, type Plane, putImage, refusalOf } from './plane.ts'

const SBOM = 'application/spdx+json'
const SIGNATURE = 'application/vnd.example.signature'

interface Listing {
  readonly schemaVersion: number
  readonly mediaType: string
  readonly manifests: readonly {
    readonly digest: string
    readonly mediaType: string
    readonly size: number
    readonly artifactType?: string
    readonly annotations?: Record<string, string>
  }[]
}

let plane: Plane
let subject: string
let sbom: string
let signature: string
let plain: string
beforeAll(async () => {
  plane = await createPlane()
  await createRepository(plane, 'team/app')
  subject = await putImage(plane, 'team/app', 'v1', 'the subject')
  sbom = await refer('an SBOM', { artifactType: SBOM, annotations: { by: 'a tool' } })
  signature = await refer('a signature', { artifactType: SIGNATURE })
  plain = await refer('no type of its own', {})
})
afterAll(() => plane.close())

const refer = (content: string, extra: object, to = subject) =>
  putImage(plane, 'team/app', `by-${sha256(content).slice(7, 20)}`, content, {
    subject: { mediaType: OCI_MANIFEST, digest: to, size: 7 },
    ...extra,
  })

async function list(query = '', of = subject): Promise<{ readonly response: Response; readonly listing: Listing }> {
  const response = await plane.ask('GET', `/v2/team/app/referrers/${of}${query}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe(OCI_INDEX)
  return { response, listing: (await response.json()) as Listing }
}

describe('an index of what refers to the digest', () => {
  test('with type and annotations of each', async () => {
    const { response, listing } = await list()
    expect(listing).toMatchObject({ schemaVersion: 2, mediaType: OCI_INDEX })
    expect(response.headers.has('oci-filters-applied')).toBe(false)
    const byDigest = new Map(listing.manifests.map((entry) => [entry.digest, entry]))
    expect([...byDigest.keys()].sort()).toEqual([plain, sbom, signature].sort())
    expect(byDigest.get(sbom)).toMatchObject({
      mediaType: OCI_MANIFEST,
      artifactType: SBOM,
      annotations: { by: 'a tool' },
    })
    expect(byDigest.get(plain)?.artifactType).toBe('application/vnd.oci.image.config.v1+json')
    const stored = await plane.ask('HEAD', `/v2/team/app/manifests/${sbom}`)
    expect(byDigest.get(sbom)?.size).toBe(Number(stored.headers.get('content-length')))
  })

  test('of one type, which the answer confirms', async () => {
    const { response, listing } = await list(`?artifactType=${encodeURIComponent(SIGNATURE)}`)
    expect(response.headers.get('oci-filters-applied')).toBe('artifactType')
    expect(listing.manifests.map(({ digest }) => digest)).toEqual([signature])
    expect((await list('?artifactType=application/none')).listing.manifests).toEqual([])
  })

  test('empty when nothing does, also for a subject nobody knows', async () => {
    expect((await list('', sha256('unknown'))).listing.manifests).toEqual([])
  })

  test('without those that are deleted', async () => {
    const digest = await refer('short-lived', {})
    await plane.ask('DELETE', `/v2/team/app/manifests/${digest}`)
    expect((await list()).listing.manifests.map((entry) => entry.digest)).not.toContain(digest)
  })
})

test('large annotations make shorter pages, and each leads on', async () => {
  const to = sha256('much referred to')
  const annotations = { text: 'x'.repeat(30_000) }
  const digests: string[] = []
  for (let count = 0; count < 120; count++) digests.push(await refer(`entry ${count}`, { annotations }, to))
  const seen: string[] = []
  let pages = 0
  for (let query: string | undefined = ''; query !== undefined; pages++) {
    const { response, listing } = await list(query, to)
    expect(Number(response.headers.get('content-length'))).toBeLessThan(4 * 1024 * 1024)
    seen.push(...listing.manifests.map(({ digest }) => digest))
    query = /^<[^?>]+(\?[^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
  }
  expect(pages).toBeGreaterThan(1)
  expect(seen).toEqual(digests.sort())
})

test('a missing repository is unknown, unless a push would make it', async () => {
  const path = `/v2/no/such/referrers/${sha256('x')}`
  expect((await refusalOf(await plane.ask('GET', path))).code).toBe('NAME_UNKNOWN')
  const open = await createPlane({ isEveryPushWelcome: true })
  expect(await (await open.ask('GET', path)).json()).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
  await open.close()
})

test.each(['?nextToken=x', '?nextToken=MTp4'])('a token that is none of ours (%s) is refused', async (query) => {
  const refusal = await refusalOf(await plane.ask('GET', `/v2/team/app/referrers/${subject}${query}`))
  expect(refusal.status).toBe(405)
})
