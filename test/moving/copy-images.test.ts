import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { RegistryClient, type RegistryClientSettings } from '../../src/clients/registry.ts'
import { compressionByName } from '../../src/lib/packed.ts'
import { type CopyOptions, ImageCopy } from '../../src/moving/copy-images.ts'
import { DockerArchive } from '../../src/moving/docker-archive.ts'
import { GrowingArchive } from '../../src/moving/growing-archive.ts'
import { GrowingFolder } from '../../src/moving/growing-folder.ts'
import { openFiles } from '../../src/moving/layout-files.ts'
import { LayoutSource } from '../../src/moving/layout-source.ts'
import { type LayoutNames, LayoutTarget } from '../../src/moving/layout-target.ts'
import { PackedArchive } from '../../src/moving/packed-archive.ts'
import type { ImageSource, ImageTarget } from '../../src/moving/places.ts'
import { RegistryPlace } from '../../src/moving/registry-place.ts'
import { FakeClock } from '../support/fake-clock.ts'
import {
  type BuiltImage,
  buildImage,
  buildIndex,
  descriptor,
  noise,
  writeDockerArchive,
  writeOciLayout,
} from '../support/image-builder.ts'
import { UpstreamRegistry } from '../support/upstream-registry.ts'

const SETTINGS: RegistryClientSettings = {
  allowsPrivateAddresses: true,
  allowsHttp: true,
  answerMs: 2000,
  stallMs: 2000,
  attempts: 2,
  waitMsMax: 1000,
  pause: async () => undefined,
  random: () => 0.5,
}
const OPTIONS: CopyOptions = { isDryRun: false, withReferrers: true, parallel: 3 }

const small = (seed: string, more: object = {}) =>
  buildImage(seed, { layers: [{ noise: noise(seed, 50_000) }, { base: 'same' }], ...more })
const index = buildIndex(
  ['amd64', 'arm64'].map((architecture) => small(architecture, { platform: { os: 'linux', architecture } })),
)
const single = small('single')
const signature = (of: BuiltImage) => {
  const { digest, mediaType, bytes } = of.manifest
  return small('signature', { manifest: { subject: { digest, mediaType, size: bytes.length } } })
}

let directory: string
let upstream: UpstreamRegistry
let other: UpstreamRegistry

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-moving-'))
  upstream = await UpstreamRegistry.start()
  other = await UpstreamRegistry.start()
  upstream.addIndex(index, 'team/app', 'v1', 'latest')
  upstream.addImage(single, 'team/app', 'v2')
  upstream.addImage(signature(single), 'team/app')
})
afterEach(async () => {
  await upstream.stop()
  await other.stop()
  await rm(directory, { recursive: true })
})

const at = (name: string) => join(directory, name)
const place = (registry: UpstreamRegistry, wantsTag?: (tag: string) => boolean) =>
  new RegistryPlace(new RegistryClient(registry.url, async () => undefined, SETTINGS, new FakeClock()), { wantsTag })

async function copy(source: ImageSource, target: ImageTarget, change: Partial<CopyOptions> = {}, to = 'team/app') {
  const copying = new ImageCopy(source, target, { ...OPTIONS, ...change })
  await copying.copyRepository('team/app', to)
  return copying.report
}

async function exportTo(path: string, names: LayoutNames = 'full', source: ImageSource = place(upstream)) {
  const files = await openGrowing(path)
  try {
    const target = await LayoutTarget.open(files, names)
    const report = await copy(source, target)
    if (report.failures.length === 0) await target.finish()
    return report
  } finally {
    await files.close()
  }
}

async function openGrowing(path: string) {
  const compression = compressionByName(path)
  if (compression === undefined) return await GrowingFolder.open(path)
  return compression === 'none' ? await GrowingArchive.open(path) : await PackedArchive.open(path, compression)
}

async function importFrom(path: string, repository?: string) {
  const files = await openFiles(path)
  try {
    return await copy(await LayoutSource.open(files, { repository }), place(other))
  } finally {
    await files.close()
  }
}

/** What a registry has, comparable. */
const contents = ({ blobs, manifests, tags }: UpstreamRegistry) => ({
  blobs: [...blobs.keys()].toSorted(),
  manifests: [...manifests.keys()].toSorted(),
  tags: [...tags].toSorted(),
})

describe('from one registry to another', () => {
  test('everything comes along: tags, indexes with their children, referrers; the second time nothing is sent', async () => {
    const report = await copy(place(upstream), place(other))
    expect(report).toMatchObject({ tags: 3, failures: [], copiedImages: 5 })
    expect(contents(other)).toEqual(contents(upstream))
    other.asked.length = 0
    upstream.asked.length = 0
    expect(await copy(place(upstream), place(other))).toMatchObject({ copiedImages: 0, copiedBlobs: 0, copiedBytes: 0 })
    expect(other.asked.filter((line) => !/^(HEAD|GET) /.test(line))).toEqual([])
    expect(upstream.count('GET /v2/team/app/blobs')).toBe(0)
  })

  test('a dry run changes nothing, and says what would be done', async () => {
    const dry = await copy(place(upstream), place(other), { isDryRun: true })
    expect(dry).toMatchObject({ copiedImages: 5, tags: 3 })
    expect(other.manifests.size).toBe(0)
    expect(await copy(place(upstream), place(other))).toEqual({ ...dry, isDryRun: false })
    const nothing = { copiedImages: 0, copiedBlobs: 0, copiedBytes: 0 }
    expect(await copy(place(upstream), place(other), { isDryRun: true })).toMatchObject(nothing)
  })

  test('the signatures of single platforms come along with an index', async () => {
    const signed = signature(index.images[1] ?? single)
    upstream.addImage(signed, 'team/app')
    await copy(place(upstream), place(other))
    expect(contents(other)).toEqual(contents(upstream))
    expect(other.manifests.has(`team/app@${signed.manifest.digest}`)).toBe(true)
  })

  test('a registry that knows no referrers may keep them under a tag', async () => {
    await using old = await UpstreamRegistry.start({ hasReferrers: false })
    old.addImage(single, 'team/app', 'v2')
    const signed = signature(single)
    old.addImage(signed, 'team/app')
    const manifests = [{ ...descriptor(signed.manifest), artifactType: 'signature' }]
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
    const tag = single.manifest.digest.replace(':', '-')
    old.add({ mediaType, bytes, digest: '' }, 'team/app', tag)
    expect(
      await copy(
        place(old, (one) => one === 'v2'),
        place(other),
      ),
    ).toMatchObject({ failures: [], tags: 1 })
    expect(other.manifests.has(`team/app@${signed.manifest.digest}`)).toBe(true)
  })

  test("cosign's older signatures, known by their tags, come along with the tags that are wanted", async () => {
    const name = single.manifest.digest.replace(':', '-')
    upstream.addImage(small('cosign'), 'team/app', `${name}.sig`)
    upstream.addImage(small('other-cosign'), 'team/app', `sha256-${'0'.repeat(64)}.sig`)
    const wanted = place(upstream, (tag) => tag === 'v2')
    expect(await copy(wanted, place(other))).toMatchObject({ failures: [], tags: 2 })
    expect([...other.tags.keys()].toSorted()).toEqual([`team/app:${name}.sig`, 'team/app:v2'])
    other.tags.clear()
    expect(await copy(wanted, place(other), { withReferrers: false })).toMatchObject({ tags: 1 })
    // Out of a layout too.
    await exportTo(at('layout'))
    other.tags.clear()
    const files = await openFiles(at('layout'))
    const layout = await LayoutSource.open(files, { wantsTag: (tag) => tag === 'v2' })
    expect(await copy(layout, place(other))).toMatchObject({ failures: [], tags: 2 })
    expect([...other.tags.keys()].toSorted()).toEqual([`team/app:${name}.sig`, 'team/app:v2'])
  })

  test('somebody who watches hears of every byte and image', async () => {
    let bytes = 0
    const images: string[] = []
    const onBytes = (count: number) => {
      bytes += count
    }
    const { copiedBytes } = await copy(place(upstream), place(other), { onBytes, onImage: (one) => images.push(one) })
    expect(bytes).toBe(copiedBytes)
    expect(images.toSorted()).toEqual(['team/app:latest', 'team/app:v1', 'team/app:v2'])
  })

  test('an image that cannot be had keeps no other one back', async () => {
    upstream.blobs.delete(single.layers[0]?.digest ?? '')
    const { failures, tags } = await copy(place(upstream), place(other))
    expect(failures).toMatchObject([{ image: 'team/app:v2', reason: expect.stringContaining('does not have') }])
    expect(tags).toBe(2)
    expect(other.tags.get('team/app:v1')).toBe(index.manifest.digest)
    expect(other.tags.has('team/app:v2')).toBe(false)
  })

  test('bytes that are others reach nobody', async () => {
    const digest = single.layers[0]?.digest ?? ''
    upstream.blobs.set(digest, Buffer.alloc(upstream.blobs.get(digest)?.length ?? 0))
    expect((await copy(place(upstream), place(other))).failures).toHaveLength(1)
    expect(other.blobs.has(digest)).toBe(false)
  })
})

for (const name of ['layout', 'layout.tar', 'layout.tar.zst', 'layout.tar.gz'])
  describe(`through a layout: ${name}`, () => {
    test('a round trip is the same, and the second time nothing is transferred', async () => {
      expect(await exportTo(at(name))).toMatchObject({ failures: [], copiedImages: 5 })
      expect(await importFrom(at(name))).toMatchObject({ failures: [], tags: 3 })
      expect(contents(other)).toEqual(contents(upstream))
      upstream.asked.length = 0
      expect(await exportTo(at(name))).toMatchObject({ copiedImages: 0, copiedBlobs: 0 })
      expect(upstream.count('GET /v2/team/app/blobs')).toBe(0)
      expect(await importFrom(at(name))).toMatchObject({ copiedImages: 0, copiedBlobs: 0 })
    })

    test('a tag that moved is moved, and what is new is added', async () => {
      await exportTo(at(name), 'tag')
      upstream.addImage(small('newer'), 'team/app', 'v2', 'v3')
      expect(await exportTo(at(name), 'tag')).toMatchObject({ copiedImages: 1, copiedBlobs: 2 })
      expect(await importFrom(at(name), 'team/app')).toMatchObject({ failures: [], tags: 4 })
      expect(other.tags.get('team/app:v2')).toBe(small('newer').manifest.digest)
    })

    test('an export that was cut off is taken up', async () => {
      let left = 6
      upstream.fault = ({ path }, response) => {
        if (!path.includes('/blobs/') || left-- > 0) return false
        response.destroy()
        return true
      }
      const { failures } = await exportTo(at(name))
      expect(failures.length).toBeGreaterThan(0)
      upstream.fault = () => false
      upstream.asked.length = 0
      expect(await exportTo(at(name))).toMatchObject({ failures: [] })
      expect(await readdir(directory)).toEqual([name])
      expect(upstream.count('GET /v2/team/app/blobs')).toBeLessThan(contents(upstream).blobs.length)
      await importFrom(at(name))
      expect(contents(other)).toEqual(contents(upstream))
    })

    // A packed one cannot be unpacked then.
    if (/\.(gz|zst)$/.test(name)) return
    test('what is damaged in it reaches nobody', async () => {
      await exportTo(at(name))
      const layer = single.layers[0]
      const bytes = layer?.bytes ?? Buffer.alloc(0)
      const file = name === 'layout' ? at(`layout/blobs/sha256/${layer?.digest.slice(7)}`) : at(name)
      const all = await readFile(file)
      const where = all.indexOf(bytes)
      all[where + 100] = (all[where + 100] ?? 0) ^ 1
      await writeFile(file, all)
      expect((await importFrom(at(name))).failures).toMatchObject([{ image: 'team/app:v2' }])
      expect(other.blobs.has(layer?.digest ?? '')).toBe(false)
    })
  })

describe('layouts of others', () => {
  test('names decide where images go, or the one who asks', async () => {
    await writeOciLayout(at('named'), { 'registry.example.com/team/app:v7': single })
    expect(await importFrom(at('named'))).toMatchObject({ tags: 1, failures: [] })
    expect(other.tags.get('team/app:v7')).toBe(single.manifest.digest)
    await writeOciLayout(at('tagged'), { v8: single })
    await expect(importFrom(at('tagged'))).rejects.toThrow('does not say which repository')
    await importFrom(at('tagged'), 'team/app')
    expect(other.tags.get('team/app:v8')).toBe(single.manifest.digest)
  })

  test('what is no layout says so', async () => {
    await mkdir(at('empty'))
    await expect(importFrom(at('empty'))).rejects.toThrow('no OCI image layout')
    await writeFile(at('text.tar'), 'this is no archive, be it as long as it may'.repeat(100))
    await expect(importFrom(at('text.tar'))).rejects.toThrow('no tar archive')
    await writeFile(at('empty/file'), '')
    await expect(exportTo(at('empty'))).rejects.toThrow('other things')
  })

  test('an archive of docker save becomes images, the same every time', async () => {
    await writeDockerArchive(at('saved.tar'), single, 'team/app:v9')
    const digests: (string | undefined)[] = []
    for (let time = 0; time < 2; time++) {
      const files = await openFiles(at('saved.tar'))
      expect(DockerArchive.isOne(files)).toBe(true)
      expect((await copy(await DockerArchive.open(files, {}), place(other))).failures).toEqual([])
      digests.push(other.tags.get('team/app:v9'))
      await files.close()
    }
    expect(digests[0]).toBeDefined()
    expect(digests[1]).toBe(digests[0])
    expect(other.blobs.has(single.config.digest)).toBe(true)
  })
})

describe('an archive that a dying process has left', () => {
  test('is used as far as it is whole and right', async () => {
    await exportTo(at('layout.tar'))
    const { length } = await readFile(at('layout.tar'))
    for (const cut of [length - 3000, Math.floor(length / 2), 700, 0]) {
      await rename(at('layout.tar'), at('layout.tar.part'))
      await truncate(at('layout.tar.part'), cut)
      expect(await exportTo(at('layout.tar'))).toMatchObject({ failures: [] })
      expect(await readdir(directory)).not.toContain('layout.tar.part')
    }
    await importFrom(at('layout.tar'))
    expect(contents(other)).toEqual(contents(upstream))
  })

  test('while it packed it is packed by the next', async () => {
    await exportTo(at('layout.tar.zst'))
    const packed = await readFile(at('layout.tar.zst'))
    await writeFile(at('layout.tar.zst.unpacked.tar'), zstdDecompressSync(packed))
    await writeFile(at('layout.tar.zst.new'), packed.subarray(0, 1000))
    await rm(at('layout.tar.zst'))
    upstream.asked.length = 0
    expect(await exportTo(at('layout.tar.zst'))).toMatchObject({ copiedImages: 0, copiedBlobs: 0, failures: [] })
    expect(await readdir(directory)).toEqual(['layout.tar.zst'])
    await importFrom(at('layout.tar.zst'))
    expect(contents(other)).toEqual(contents(upstream))
  })
})
