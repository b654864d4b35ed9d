import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { RegistryClient } from '../../src/clients/registry.ts'
import { ImageCopy } from '../../src/moving/copy-images.ts'
import { DockerArchive } from '../../src/moving/docker-archive.ts'
import { type LayoutFiles, openFiles, openStream } from '../../src/moving/layout-files.ts'
import { LayoutSource } from '../../src/moving/layout-source.ts'
import { RegistryPlace } from '../../src/moving/registry-place.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { buildImage, descriptor, everyBlob, sha256 } from '../support/image-builder.ts'
import { joined, paxOf, type TarFile, tarOf } from '../support/tar-builder.ts'
import { UpstreamRegistry } from '../support/upstream-registry.ts'

const image = buildImage('hostile')
const SECRET = 'what lies beside the archive'

let directory: string
let target: UpstreamRegistry

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-hostile-'))
  target = await UpstreamRegistry.start()
  await writeFile(join(directory, 'secret'), SECRET)
})
afterEach(async () => {
  await target.stop()
  await rm(directory, { recursive: true })
})

const at = (...names: string[]) => join(directory, ...names)
const file = (path: string, content: string | Uint8Array): TarFile => ({ path, content })
const blobName = (digest: string) => `blobs/sha256/${digest.slice(7)}`

/** A layout of one image, with what is changed about it. */
function layout(changes: Readonly<Record<string, string | Uint8Array | undefined>> = {}): readonly TarFile[] {
  const manifests = [
    { ...descriptor(image.manifest), annotations: { 'org.opencontainers.image.ref.name': 'team/app:v1' } },
  ]
  const files: Readonly<Record<string, string | Uint8Array | undefined>> = {
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    ...Object.fromEntries(everyBlob(image).map(({ digest, bytes }) => [blobName(digest), bytes])),
    'index.json': JSON.stringify({ schemaVersion: 2, manifests }),
    ...changes,
  }
  return Object.entries(files).flatMap(([path, content]) => (content === undefined ? [] : [file(path, content)]))
}

async function importFiles(files: LayoutFiles) {
  const settings = {
    allowsPrivateAddresses: true,
    allowsHttp: true,
    answerMs: 2000,
    stallMs: 2000,
    attempts: 1,
    waitMsMax: 1,
    pause: async () => undefined,
    random: () => 0.5,
  }
  try {
    const source = DockerArchive.isOne(files) ? await DockerArchive.open(files, {}) : await LayoutSource.open(files, {})
    const to = new RegistryPlace(new RegistryClient(target.url, async () => undefined, settings, new FakeClock()))
    const copy = new ImageCopy(source, to, { isDryRun: false, withReferrers: true, parallel: 2 })
    for (const repository of source.repositories) await copy.copyRepository(repository, repository)
    return copy.report
  } finally {
    await files.close()
  }
}

async function importBytes(bytes: Uint8Array) {
  await writeFile(at('archive.tar'), bytes)
  return await importFiles(await openFiles(at('archive.tar')))
}

const isUntouched = () => target.manifests.size === 0 && target.tags.size === 0

describe('an archive as it should be', () => {
  const forms = { plain: (bytes: Uint8Array) => bytes, gzip: gzipSync, zstd: zstdCompressSync } as const
  for (const [name, pack] of Object.entries(forms))
    test(`comes in, from a file and from a pipe: ${name}`, async () => {
      const bytes = pack(tarOf(layout()))
      expect(await importBytes(bytes)).toMatchObject({ tags: 1, failures: [] })
      target.tags.clear()
      async function* pipe() {
        for (let from = 0; from < bytes.length; from += 1000) yield bytes.subarray(from, from + 1000)
      }
      expect(await importFiles(await openStream(pipe()))).toMatchObject({ tags: 1, failures: [] })
      expect((await readdir(tmpdir())).filter((one) => one.startsWith('ecru-unpacked-'))).toEqual([])
    })

  test('may begin its names with ./ and have long ones, links and other things beside', async () => {
    const long = `${'x'.repeat(150)}/y`
    const files = layout().flatMap((one) => [paxOf({ path: `./${one.path}`, mtime: '1' }), { ...one, path: 'short' }])
    const more = [paxOf({ path: long }), file('short', 'text'), { path: 'dir/', flag: '5' }, { path: 'dev', flag: '3' }]
    expect(await importBytes(tarOf([...more, ...files]))).toMatchObject({ tags: 1, failures: [] })
  })
})

describe('an archive that is refused, and leaves nothing', () => {
  const other = buildImage('hostile-other')
  const cases: Readonly<Record<string, readonly [Uint8Array, string | RegExp]>> = {
    'cut off': [tarOf(layout()).subarray(0, 3000), 'is cut off'],
    'cut off and packed': [gzipSync(tarOf(layout())).subarray(0, 400), 'cannot be unpacked'],
    'packed by zstd and damaged': [
      zstdCompressSync(tarOf(layout())).fill(7, 60, 200),
      /cannot be unpacked|no tar archive/,
    ],
    'no archive': [Buffer.alloc(5000, 'text'), 'no tar archive'],
    empty: [Buffer.alloc(0), 'no OCI image layout'],
    'an entry of negative size': [tarOf([paxOf({ size: '-1024' }), ...layout()]), 'impossible size'],
    'an entry of endless size': [tarOf([paxOf({ size: '999999999999999' }), ...layout()]), 'is cut off'],
    'an extension header that is too long': [
      tarOf([{ path: 'x', flag: 'x', content: new Uint8Array(1024 * 1024 + 1) }]),
      'too long',
    ],
    'an index that is no JSON': [tarOf(layout({ 'index.json': '{' })), 'no JSON'],
    'an index that is nothing': [tarOf(layout({ 'index.json': 'null' })), 'no list of manifests'],
    'an index of nothing': [tarOf(layout({ 'index.json': '{"manifests":[null]}' })), 'describes no manifest'],
    'no index': [tarOf(layout({ 'index.json': undefined })), 'no OCI image layout'],
    'images of docker that are nothing': [tarOf([file('manifest.json', '[null]')]), 'describes no image'],
    'an image of docker that names what is elsewhere': [
      tarOf([file('manifest.json', JSON.stringify([{ Config: '../secret', RepoTags: ['a/b:c'], Layers: [] }]))]),
      'lacks ../secret',
    ],
  }
  for (const [name, [bytes, words]] of Object.entries(cases))
    test(name, async () => {
      await expect(importBytes(bytes)).rejects.toThrow(words)
      expect(isUntouched()).toBe(true)
      expect((await readdir(tmpdir())).filter((one) => one.startsWith('ecru-unpacked-'))).toEqual([])
    })

  test('an index that is too large', async () => {
    const stated = { ...file('index.json', ''), statedBytes: 400 * 1024 * 1024 }
    await writeFile(at('archive.tar'), tarOf([...layout({ 'index.json': undefined }), stated]))
    // A file of holes.
    await truncate(at('archive.tar'), 500 * 1024 * 1024)
    await expect(openFiles(at('archive.tar')).then(importFiles)).rejects.toThrow('larger than')
    expect(isUntouched()).toBe(true)
  })

  const layer = image.layers[0]?.digest ?? ''
  const failing: Readonly<Record<string, Readonly<Record<string, string | Uint8Array | undefined>>>> = {
    'a layer that is another': { [blobName(layer)]: other.layers[0]?.bytes.subarray(0, image.layers[0]?.bytes.length) },
    'a layer of another size': { [blobName(layer)]: 'short' },
    'no layer': { [blobName(layer)]: undefined },
    'a manifest that is another': { [blobName(image.manifest.digest)]: other.manifest.bytes },
    'no manifest': { [blobName(image.manifest.digest)]: undefined },
    'a manifest that is too large': { [blobName(image.manifest.digest)]: new Uint8Array(5 * 1024 * 1024) },
  }
  for (const [name, changes] of Object.entries(failing))
    test(name, async () => {
      const { failures, tags } = await importBytes(tarOf(layout(changes)))
      expect([failures.length, tags]).toEqual([1, 0])
      expect(isUntouched()).toBe(true)
    })

  test('an index in an index in an index without end', async () => {
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    const changes: Record<string, string> = {}
    let inner: object = descriptor(image.manifest)
    for (let depth = 0; depth < 20; depth++) {
      const text = JSON.stringify({ schemaVersion: 2, mediaType, manifests: [inner] })
      inner = { mediaType, digest: sha256(text), size: text.length }
      changes[blobName(sha256(text))] = text
    }
    const annotations = { 'org.opencontainers.image.ref.name': 'team/app:v1' }
    changes['index.json'] = JSON.stringify({ schemaVersion: 2, manifests: [{ ...inner, annotations }] })
    expect((await importBytes(tarOf(layout(changes)))).failures).toMatchObject([
      { reason: expect.stringContaining('more than 8 indexes') },
    ])
    expect(isUntouched()).toBe(true)
  })
})

describe('links', () => {
  const saved = (layerName: string) =>
    JSON.stringify([{ Config: 'config.json', RepoTags: ['team/app:v1'], Layers: [layerName] }])
  const secretDigest = sha256(SECRET)

  test('in an archive lead to what is in the archive, and nowhere else', async () => {
    const links = [
      { path: 'a.tar', flag: '2', link: '../secret' },
      { path: 'b.tar', flag: '2', link: at('secret') },
      { path: 'c.tar', flag: '1', link: at('secret') },
      { path: 'd.tar', flag: '2', link: 'd.tar' },
    ]
    for (const { path } of links)
      await expect(
        importBytes(tarOf([...links, file('config.json', '{}'), file('manifest.json', saved(path))])),
      ).rejects.toThrow(`lacks ${path}`)
    const good = [file('x/layer.tar', 'layer'), { path: 'y/layer.tar', flag: '2', link: '../x/layer.tar' }]
    const archive = tarOf([...good, file('config.json', '{}'), file('manifest.json', saved('y/layer.tar'))])
    expect(await importBytes(archive)).toMatchObject({ failures: [], tags: 1 })
  })

  test('in a directory lead nowhere else either, but to content that has to have its digest', async () => {
    await mkdir(at('saved'))
    await symlink(at('secret'), at('saved/layer.tar'))
    await writeFile(at('saved/config.json'), '{}')
    for (const name of ['layer.tar', '../secret']) {
      await writeFile(at('saved/manifest.json'), saved(name))
      await expect(importFiles(await openFiles(at('saved')))).rejects.toThrow(`lacks ${name}`)
    }
    expect(target.blobs.has(secretDigest)).toBe(false)
    await mkdir(at('layout/blobs/sha256'), { recursive: true })
    await mkdir(at('store'))
    for (const { path, content = '' } of layout()) {
      await writeFile(at('store', path.replaceAll('/', '_')), content)
      if (path.startsWith('blobs/')) await symlink(at('store', path.replaceAll('/', '_')), at('layout', path))
      else await writeFile(at('layout', path), content)
    }
    expect(await importFiles(await openFiles(at('layout')))).toMatchObject({ failures: [], tags: 1 })
    expect(await readFile(at('secret'), 'utf8')).toBe(SECRET)
  })
})

test('a piece of an archive behind another is no archive by itself', async () => {
  const doubled = joined([tarOf(layout()), tarOf([file('index.json', '{}')])])
  expect(await importBytes(doubled)).toMatchObject({ failures: [], tags: 1 })
})
