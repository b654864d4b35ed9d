import { describe, expect } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, noise, sha256 } from '../support/image-builder.ts'

const test = testWith('python-with-boto3')

interface Refused {
  readonly Code: string
  readonly Message: string
  readonly lastValidByteReceived?: number
}

interface Layers {
  readonly layer: string
  readonly manifestDigest: string
  readonly partSize: number
  readonly url: string
  readonly before: {
    readonly layers: readonly object[]
    readonly failures: readonly { readonly failureCode: string }[]
  }
  readonly after: readonly object[]
  readonly completed: object
  readonly withoutImage: Refused | null
  readonly put: object
  readonly manifestKept: boolean
  readonly download: object
  readonly forged: readonly { readonly status: number }[]
  readonly gap: Refused | null
  readonly empty: Refused | null
  readonly mismatch: Refused | null
  readonly unknown: Refused | null
  readonly exists: Refused | null
  readonly tooSmall: Refused | null
}

interface Walk<Entry> {
  readonly pages: readonly number[]
  readonly entries: readonly Entry[]
}

interface Walks {
  readonly account: string
  readonly repositories: Walk<{ readonly repositoryName: string }>
  readonly listed: Walk<{ readonly imageDigest: string; readonly imageTag?: string }>
  readonly tagged: Walk<{ readonly imageTag: string }>
  readonly described: Walk<{ readonly imageDigest: string; readonly imageTags?: readonly string[] }>
  readonly previewed: Walk<{ readonly imageDigest: string }>
  readonly templates: Walk<{ readonly prefix: string }>
}

interface PublicWalks {
  readonly repositories: Walk<{ readonly repositoryName: string }>
  readonly registries: Walk<{ readonly registryId: string }>
  readonly tags: Walk<{ readonly imageTag: string }>
  readonly described: Walk<{ readonly imageTags: readonly string[] }>
}

describe('boto3 pushes by the layer API and walks every page', () => {
  const stage = useStage({ repositories: ['py/layers', 'py/pages'] })
  const script = async (name: string, ...args: string[]): Promise<unknown> => {
    const file = resolve(import.meta.dir, '../support/clients/boto3', name)
    return JSON.parse(await run([client('python-with-boto3'), file, ...args], { env: stage.awsEnvironment }))
  }

  test('an image pushed part by part is a real image, and the layer API refuses what breaks its rules', async () => {
    await writeFile(stage.path('noise'), noise('boto3', 13_000_000))
    const did = (await script('layers.py', 'py/layers', stage.path('noise'))) as Layers
    expect(did.before.layers).toMatchObject([{ layerDigest: did.layer, layerAvailability: 'UNAVAILABLE' }])
    expect(did.before.failures.map(({ failureCode }) => failureCode)).toEqual([
      'InvalidLayerDigest',
      'MissingLayerDigest',
    ])
    expect(did.partSize).toBeGreaterThanOrEqual(5 * 1024 * 1024)
    expect(did.completed).toEqual({ digest: did.layer, sameUpload: true })
    expect(did.after).toMatchObject([{ layerDigest: did.layer, layerAvailability: 'AVAILABLE' }])
    expect(did.withoutImage?.Code).toBe('LayerInaccessibleException')
    expect(did.put).toEqual({ imageDigest: did.manifestDigest, imageTag: 'by-hand' })
    expect(did.manifestKept).toBe(true)
    expect(did.download).toEqual({ status: 200, digest: did.layer })
    expect(did.forged.length).toBeGreaterThan(2)
    for (const { status } of did.forged) expect(status).toBeOneOf([400, 401, 403, 404])
    expect(did.gap?.Code).toBe('InvalidLayerPartException')
    expect(did.gap?.Message).toContain('First byte of the layer part is 5 instead of 0')
    expect(did.empty?.Code).toBe('EmptyUploadException')
    expect(did.mismatch?.Code).toBe('InvalidLayerException')
    expect(did.unknown?.Code).toBe('UploadNotFoundException')
    expect(did.exists?.Code).toBe('LayerAlreadyExistsException')
    expect(did.tooSmall?.Code).toBe('LayerPartTooSmallException')
    const stored = await storedManifest(stage, 'py/layers', 'by-hand')
    expect(stored.digest).toBe(did.manifestDigest)
    const blob = await wire(stage, `py/layers/blobs/${did.layer}`)
    expect(sha256(new Uint8Array(await blob.arrayBuffer()))).toBe(did.layer)
  })

  test('paginators bring every repository, tag, image, preview and template exactly once', async () => {
    const extra = Array.from({ length: 4 }, (_, n) => `py/extra-${n}`)
    await stage.createRepository(...extra)
    const images = Array.from({ length: 7 }, (_, n) => buildImage(`boto3-page-${n}`, { layers: [{ n: `${n}` }] }))
    for (const [n, image] of images.entries()) await push(stage, 'py/pages', image, n < 5 ? `t${n}` : undefined)
    const walks = (await script('paginators.py', 'py/pages', '3')) as Walks
    expect(walks.account).toBe('000000000000')
    const digests = images.map(({ manifest }) => manifest.digest).toSorted()
    expect(walks.repositories.entries.map(({ repositoryName }) => repositoryName).toSorted()).toEqual([
      ...extra,
      'py/layers',
      'py/pages',
    ])
    expect(walks.repositories.pages).toEqual([3, 3])
    expect(walks.listed.pages).toEqual([3, 3, 1])
    expect(walks.listed.entries.map(({ imageDigest }) => imageDigest).toSorted()).toEqual(digests)
    expect(walks.tagged.entries.map(({ imageTag }) => imageTag).toSorted()).toEqual(['t0', 't1', 't2', 't3', 't4'])
    expect(walks.described.entries.map(({ imageDigest }) => imageDigest).toSorted()).toEqual(digests)
    expect(walks.described.entries.filter((entry) => 'imageTags' in entry)).toHaveLength(5)
    // The image that was pushed last is the one that would stay.
    expect(walks.previewed.pages).toEqual([3, 3])
    expect(walks.previewed.entries.map(({ imageDigest }) => imageDigest).toSorted()).toEqual(
      images
        .slice(0, -1)
        .map(({ manifest }) => manifest.digest)
        .toSorted(),
    )
    expect(walks.templates.pages).toEqual([3, 1])
    expect(walks.templates.entries.map(({ prefix }) => prefix)).toEqual(['py-0', 'py-1', 'py-2', 'py-3'])
  })

  test('paginators of public registries bring every repository, registry, tag and image exactly once', async () => {
    const walks = (await script('public_paginators.py', '2')) as PublicWalks
    const names = ['py/public-0', 'py/public-1', 'py/public-2']
    expect(walks.repositories.entries.map(({ repositoryName }) => repositoryName)).toEqual(names)
    expect(walks.registries.entries.map(({ registryId }) => registryId)).toEqual(['000000000000'])
    expect(walks.tags.entries.map(({ imageTag }) => imageTag)).toEqual(['t0', 't1', 't2'])
    expect(walks.described.entries.flatMap(({ imageTags }) => imageTags).toSorted()).toEqual(['t0', 't1', 't2'])
    for (const { pages } of [walks.repositories, walks.tags, walks.described]) expect(pages).toEqual([2, 1])
  })
})
