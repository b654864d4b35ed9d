import { expect, test } from 'bun:test'
import { parseManifest } from '../manifest.ts'
import { isContainerImage } from './container-image.ts'

const digest = `sha256:${'a'.repeat(64)}`
const oci = 'application/vnd.oci.image'
const docker = 'application/vnd.docker'
const named = (mediaType: string) => ({ mediaType, digest, size: 2 })

function isImage(document: object, ...tags: readonly string[]): boolean {
  const text = JSON.stringify({ schemaVersion: 2, mediaType: `${oci}.manifest.v1+json`, ...document })
  return isContainerImage(parseManifest(new TextEncoder().encode(text), undefined), tags)
}

const config = named(`${oci}.config.v1+json`)
const layers = [named(`${oci}.layer.v1.tar+gzip`)]

test('images and indexes of both formats are container images', () => {
  expect(isImage({ config, layers }, 'v1')).toBe(true)
  expect(isImage({ config, layers: [] })).toBe(true)
  const dockerImage = {
    mediaType: `${docker}.distribution.manifest.v2+json`,
    config: named(`${docker}.container.image.v1+json`),
    layers: [named(`${docker}.image.rootfs.diff.tar.gzip`)],
  }
  expect(isImage(dockerImage, 'v1')).toBe(true)
  expect(isImage({ mediaType: `${oci}.index.v1+json`, manifests: [named(`${oci}.manifest.v1+json`)] })).toBe(true)
})

test('what refers to images, and other artifacts, are none', () => {
  expect(isImage({ config, layers, subject: named(`${oci}.manifest.v1+json`) })).toBe(false)
  expect(isImage({ config, layers, artifactType: 'application/spdx+json' })).toBe(false)
  expect(isImage({ config: named('application/vnd.cncf.helm.config.v1+json'), layers })).toBe(false)
  for (const type of ['application/vnd.in-toto+json', 'application/vnd.dev.cosign.simplesigning.v1+json'])
    expect(isImage({ config, layers: [named(type)] }), type).toBe(false)
  expect(isImage({ config, layers }, `sha256-${'a'.repeat(64)}.sig`)).toBe(false)
  const index = { mediaType: `${oci}.index.v1+json`, manifests: [] }
  expect(isImage(index, `sha256-${'a'.repeat(64)}`)).toBe(false)
  expect(isImage(index, 'sha256-abc')).toBe(true)
})
