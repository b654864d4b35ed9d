import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseDigest } from '../../src/domain/digest.ts'
import { parseTag } from '../../src/domain/names.ts'
import { Attachments } from '../../src/services/images/attachments.ts'
import { Sboms } from '../../src/services/scanning/sboms.ts'
import { ScanCommands } from '../../src/services/scanning/scan-commands.ts'
import { sha256 } from '../support/image-builder.ts'
import {
  admin,
  chunks,
  createServices,
  indexOf,
  manifestOf,
  pushImage,
  refTo,
  registry,
  type Services,
} from '../support/service-fixture.ts'
import { tarOf } from '../support/tar-builder.ts'

const REF = refTo('app')
const CYCLONEDX = 'application/vnd.cyclonedx+json'

let services: Services
let commands: ScanCommands

beforeEach(async () => {
  services = await createServices()
  const { metadata, clock, uploads, images, contents } = services
  const settings = { version: '1.2.3', nameOf: ({ name }: { name: string }) => `registry.example.com/${name}` }
  const sboms = new Sboms(metadata, contents, new Attachments(uploads, images), clock, settings)
  const { scanCommandServices } = services
  commands = new ScanCommands({ ...scanCommandServices, sboms }, registry)
  await services.repositories.create(admin, REF)
})

afterEach(() => services.close())

async function upload(bytes: Uint8Array) {
  const digest = parseDigest(sha256(Buffer.from(bytes)))
  const id = await services.uploads.start(admin, REF)
  await services.uploads.complete(admin, REF, id, digest, { place: { earlierPartBytesMin: 0 }, body: chunks(bytes) })
  return digest
}

/** An image with one package of npm, for a platform. */
async function push(tag: string, architecture: string, version = '1.0.0') {
  const config = await upload(Buffer.from(JSON.stringify({ os: 'linux', architecture })))
  const layer = await upload(
    tarOf([
      { path: 'app/node_modules/qs/package.json', content: JSON.stringify({ name: 'qs', version, license: 'MIT' }) },
    ]),
  )
  const manifest = manifestOf(config, [layer])
  return (await services.images.push(admin, REF, { manifest, tags: [parseTag(tag)] })).image.digest
}

interface Written {
  readonly digest: string
  readonly platform: string
  readonly document: {
    readonly components?: readonly { readonly purl?: string }[]
    readonly packages?: readonly { readonly name: string }[]
    readonly specVersion?: string
  }
}

const write = async (parameters: Readonly<Record<string, string>>) =>
  (await commands.run('sbom/write', parameters)) as Written

describe('a bill of materials', () => {
  test('says what is in an image, in any format', async () => {
    const digest = await push('v1', 'arm64')
    const written = await write({ image: 'app:v1' })
    expect(written).toMatchObject({ digest, platform: 'linux/arm64', document: { specVersion: '1.6' } })
    expect(written.document.components?.map((one) => one.purl)).toEqual(['pkg:npm/qs@1.0.0'])
    expect((await write({ image: 'app:v1', format: 'cyclonedx-1.5' })).document.specVersion).toBe('1.5')
    const { packages } = (await write({ image: `app@${digest}`, format: 'spdx' })).document
    expect(packages?.map(({ name }) => name)).toEqual(['registry.example.com/app', 'qs'])
  })

  test('is of one image of an index', async () => {
    const arm = await push('arm', 'arm64')
    const amd = await push('amd', 'amd64', '2.0.0')
    await services.images.push(admin, REF, { manifest: indexOf([arm, amd]), tags: [parseTag('both')] })
    await services.images.push(admin, REF, { manifest: indexOf([arm]), tags: [parseTag('one')] })
    await expect(write({ image: 'app:both' })).rejects.toThrow('linux/arm64, linux/amd64')
    expect(await write({ image: 'app:both', platform: 'linux/amd64' })).toMatchObject({ digest: amd })
    expect(await write({ image: 'app:one' })).toMatchObject({ digest: arm })
    await expect(write({ image: 'app:arm', platform: 'linux/s390x' })).rejects.toThrow('linux/arm64')
  })

  test('is attached to the image once', async () => {
    const digest = await push('v1', 'amd64')
    const attached = await commands.run('sbom/attach', { image: 'app:v1' })
    expect(attached).toMatchObject({ digest, artifactType: CYCLONEDX, isNew: true })
    services.clock.advance(1_000)
    expect(await commands.run('sbom/attach', { image: 'app:v1' })).toEqual({ ...attached, isNew: false })
    expect(await commands.run('sbom/attach', { image: 'app:v1', format: 'spdx' })).toMatchObject({ isNew: true })
    const { id } = (await services.metadata.view.repositories.find(REF)) ?? { id: 0 }
    const referrers = await services.metadata.view.images.listReferrers(id, digest, {}, { limit: 10 })
    expect(referrers.map(({ artifactType }) => artifactType).toSorted()).toEqual(['application/spdx+json', CYCLONEDX])
  })

  test('is refused for what is not there, no container image, or asked for wrongly', async () => {
    const code = (parameters: Readonly<Record<string, string>>) => commands.run('sbom/write', parameters)
    await push('v1', 'amd64')
    await commands.run('sbom/attach', { image: 'app:v1' })
    await expect(code({ image: 'app:v2' })).rejects.toMatchObject({ code: 'image-not-found' })
    await expect(code({ image: 'other:v1' })).rejects.toMatchObject({ code: 'repository-not-found' })
    await expect(code({ image: '' })).rejects.toMatchObject({ code: 'invalid-parameter' })
    await expect(code({ image: 'app:v1', format: 'sp' })).rejects.toMatchObject({ code: 'invalid-parameter' })
    await expect(code({ image: 'app:v1', colour: 'red' })).rejects.toThrow("'colour'")
    await pushImage(services, REF, 'not a tar', 'odd')
    const thrown: unknown = await code({ image: 'app:odd' }).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'layer-unreadable' })
  })
})
