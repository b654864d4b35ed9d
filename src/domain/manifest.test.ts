import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isRegistryError } from './errors.ts'
import {
  contentSizeBytes,
  MANIFEST_BYTES_MAX,
  MEDIA_TYPE,
  parseManifest,
  referrerArtifactType,
  requiredBlobs,
  requiredChildren,
} from './manifest.ts'

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`
const descriptor = (letter: string, size: number, mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip') => ({
  mediaType,
  digest: digestOf(letter),
  size,
})
const config = descriptor('c', 10, 'application/vnd.oci.image.config.v1+json')
const image = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.ociManifest,
  config,
  layers: [descriptor('1', 100), descriptor('2', 200)],
}
const index = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPE.ociIndex,
  manifests: [descriptor('a', 5), descriptor('b', 6), descriptor('a', 5)],
}

const bytes = (document: unknown) => new TextEncoder().encode(JSON.stringify(document))
const parse = (document: unknown, declared?: string) => parseManifest(bytes(document), declared)

describe('an image manifest', () => {
  test('names config and layers', () => {
    const manifest = parse(image)
    expect(manifest.kind).toBe('image')
    expect(requiredBlobs(manifest).map(({ digest }) => digest as string)).toEqual([
      digestOf('c'),
      digestOf('1'),
      digestOf('2'),
    ])
    expect(contentSizeBytes(manifest)).toBe(310)
    expect(requiredChildren(manifest)).toEqual([])
  })

  test('needs each blob once, and none that is not distributable', () => {
    const foreign = descriptor('f', 9, 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip')
    const manifest = parse({ ...image, layers: [descriptor('1', 1), descriptor('1', 1), foreign] })
    expect(requiredBlobs(manifest).map(({ digest }) => digest as string)).toEqual([digestOf('c'), digestOf('1')])
  })

  test('takes its media type from the push when it has none', () => {
    const { mediaType: _, ...bare } = image
    expect(parse(bare, `${MEDIA_TYPE.ociManifest}; charset=utf-8`).mediaType).toBe(MEDIA_TYPE.ociManifest)
    expect(() => parse(bare)).toThrow(expect.objectContaining({ code: 'invalid-parameter' }))
  })

  test('is a referrer when it has a subject', () => {
    const manifest = parse({
      ...image,
      subject: descriptor('5', 7),
      artifactType: 'application/spdx+json',
      annotations: { a: 'b' },
    })
    expect(manifest.subject as string | undefined).toBe(digestOf('5'))
    expect(referrerArtifactType(manifest)).toBe('application/spdx+json')
    expect(referrerArtifactType(parse(image))).toBe(config.mediaType)
    expect(manifest.annotations).toEqual({ a: 'b' })
  })
})

test('an index names manifests, each needed once', () => {
  const manifest = parse(index)
  expect(manifest.kind).toBe('index')
  expect(requiredChildren(manifest) as readonly string[]).toEqual([digestOf('a'), digestOf('b')])
  expect(requiredBlobs(manifest)).toEqual([])
})

describe('refused', () => {
  const wrong: readonly [string, unknown, string?][] = [
    ['no object', []],
    ['no schema version', { ...image, schemaVersion: undefined }],
    ['schema version 1', { ...image, schemaVersion: 1 }],
    ['a type nobody knows', { ...image, mediaType: 'text/plain' }],
    ['a type other than the declared', image, MEDIA_TYPE.dockerManifest],
    ['both kinds at once', { ...image, manifests: [] }],
    ['an index with layers', { ...index, layers: [] }],
    ['no config', { ...image, config: undefined }],
    ['layers that are no list', { ...image, layers: {} }],
    ['a layer that is none', { ...image, layers: ['x'] }],
    ['a bad digest', { ...image, layers: [{ ...descriptor('1', 1), digest: 'sha256:1' }] }],
    ['a negative size', { ...image, layers: [{ ...descriptor('1', 1), size: -1 }] }],
    ['a broken size', { ...image, layers: [{ ...descriptor('1', 1), size: 1.5 }] }],
    ['no media type in a descriptor', { ...image, config: { ...config, mediaType: undefined } }],
    ['annotations that are no strings', { ...image, annotations: { a: 1 } }],
    ['an artifact type that is no string', { ...image, artifactType: 7 }],
    ['a subject that is none', { ...image, subject: 'x' }],
  ]
  for (const [what, document, declared] of wrong)
    test(what, () => {
      expect(() => parse(document, declared)).toThrow(expect.objectContaining({ code: 'manifest-invalid' }))
    })

  test.each(['', '{', '{"schemaVersion":2,"schemaVersion":2}', '['.repeat(1000)])('the text %p', (text) => {
    expect(() => parseManifest(new TextEncoder().encode(text), MEDIA_TYPE.ociManifest)).toThrow(
      expect.objectContaining({ code: 'manifest-invalid' }),
    )
  })

  test('bytes that are no UTF-8', () => {
    expect(() => parseManifest(new Uint8Array([0x7b, 0xff, 0x7d]), MEDIA_TYPE.ociManifest)).toThrow(
      'Invalid JSON syntax',
    )
  })

  test('more than 4 MiB', () => {
    expect(() => parseManifest(new Uint8Array(MANIFEST_BYTES_MAX + 1), MEDIA_TYPE.ociManifest)).toThrow(
      expect.objectContaining({ code: 'manifest-too-large' }),
    )
  })

  test('anything else, always with an error of ours', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constant(image.layers), fc.constant(config))
    const document = fc.record(
      {
        schemaVersion: fc.constant(2),
        mediaType: fc.constantFrom(...Object.values(MEDIA_TYPE)),
        config: value,
        layers: value,
        manifests: value,
        subject: value,
        annotations: value,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(document, (candidate) => {
        try {
          parse(candidate)
          return true
        } catch (thrown) {
          return isRegistryError(thrown, 'manifest-invalid', 'invalid-parameter')
        }
      }),
      { numRuns: 1000 },
    )
  })
})
