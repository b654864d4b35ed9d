import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  CreateRepositoryCommand,
  ListImageReferrersCommand,
  type ListImageReferrersCommandInput,
} from '@aws-sdk/client-ecr'
import type { Digest } from '../../../src/domain/digest.ts'
import { admin, manifestOf, OCI_MANIFEST, pushImage, pushLayer, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const repositoryName = 'app'
const ref = refTo(repositoryName)
const SBOM = 'application/spdx+json'
const SIGNATURE = 'application/vnd.cncf.notary.signature'

let ecr: EcrFixture
let subject: Digest
beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
  subject = await pushImage(ecr, ref, 'subject', 'v1')
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

async function refer(name: string, artifactType?: string): Promise<Digest> {
  const config = await pushLayer(ecr, ref, '{}')
  const manifest = manifestOf(config, [], {
    ...(artifactType === undefined ? {} : { artifactType }),
    subject: { mediaType: OCI_MANIFEST, digest: subject, size: 5 },
    annotations: { name },
  })
  return (await ecr.images.push(admin, ref, { manifest, tags: [] })).image.digest
}
const list = (input: Partial<ListImageReferrersCommandInput> = {}) =>
  ecr.client.send(new ListImageReferrersCommand({ repositoryName, subjectId: { imageDigest: subject }, ...input }))
const digests = async (filter: ListImageReferrersCommandInput['filter']) =>
  (await list({ filter })).referrers?.map(({ digest }) => digest)

describe('ListImageReferrers', () => {
  test('tells what the OCI route tells, and the status', async () => {
    const sbom = await refer('one', SBOM)
    const image = await ecr.images.stat(admin, ref, { digest: sbom })
    expect<unknown>((await list()).referrers).toEqual([
      {
        digest: sbom,
        mediaType: OCI_MANIFEST,
        size: image.manifestSizeBytes,
        artifactType: SBOM,
        annotations: { name: 'one' },
        artifactStatus: 'ACTIVE',
      },
    ])
  })

  test('knows no referrers of a subject that nobody has pushed', async () => {
    const nobody = await list({ subjectId: { imageDigest: `sha256:${'9'.repeat(64)}` } })
    expect(nobody.referrers).toEqual([])
    expect(nobody).not.toContainKey('nextToken')
  })

  test('filters by up to five types', async () => {
    const [sbom, signature, plain] = [await refer('a', SBOM), await refer('b', SIGNATURE), await refer('c')]
    expect(await digests({ artifactTypes: [SBOM] })).toEqual([sbom])
    expect(await digests({ artifactTypes: ['x/y', SIGNATURE, SBOM] })).toEqual([sbom, signature].sort())
    expect(await digests({ artifactTypes: [] })).toEqual([sbom, signature, plain].sort())
    expect(await digests({ artifactTypes: ['application/vnd.oci.image.config.v1+json'] })).toEqual([plain])
    const six = { artifactTypes: ['a', 'b', 'c', 'd', 'e', 'f'] }
    expect((await refusalOf(list({ filter: six })))[0]).toBe('InvalidParameterException')
  })

  test('filters by status: the active ones unless others are asked for', async () => {
    const [active, archived] = [await refer('a', SBOM), await refer('b', SBOM)]
    await ecr.storageClasses.update(admin, ref, { digest: archived }, 'ARCHIVE')
    expect(await digests(undefined)).toEqual([active])
    expect(await digests({ artifactStatus: 'ACTIVE' })).toEqual([active])
    expect(await digests({ artifactStatus: 'ARCHIVED', artifactTypes: [SBOM] })).toEqual([archived])
    expect(await digests({ artifactStatus: 'ANY' })).toEqual([active, archived].sort())
    expect(await digests({ artifactStatus: 'ACTIVATING' })).toEqual([])
  })

  test('pages: twenty to a page unless it is told, fifty at most', async () => {
    const all: Digest[] = []
    for (let n = 0; n < 53; n++) all.push(await refer(String(n)))
    const seen: unknown[] = []
    const sizes: number[] = []
    let nextToken: string | undefined
    do {
      const page = await list({ nextToken })
      sizes.push(page.referrers?.length ?? 0)
      seen.push(...(page.referrers ?? []).map(({ digest }) => digest))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    expect(sizes).toEqual([20, 20, 13])
    expect(seen).toEqual(all.sort())
    expect((await list({ maxResults: 50 })).referrers).toHaveLength(50)
    expect((await refusalOf(list({ maxResults: 51 })))[0]).toBe('InvalidParameterException')
    expect((await refusalOf(list({ nextToken: 'x' })))[0]).toBe('InvalidParameterException')
  })

  test('asks for the permission of BatchGetImage', async () => {
    const input = { registryId: '123456789012', repositoryName, subjectId: { imageDigest: subject } }
    const [code, message] = await refusalOf(ecr.clientOf('999999999999').send(new ListImageReferrersCommand(input)))
    expect(code).toBe('AccessDeniedException')
    expect(message).toContain('is not authorized to perform: ecr:BatchGetImage on resource')
    expect((await refusalOf(list({ repositoryName: 'other' })))[0]).toBe('RepositoryNotFoundException')
    expect((await refusalOf(list({ subjectId: { imageDigest: 'x' } })))[0]).toBe('InvalidParameterException')
  })
})
