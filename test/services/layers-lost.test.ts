import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Digest, digestHex } from '../../src/domain/digest.ts'
import { FilesystemBlobStore } from '../../src/stores/blobs/filesystem.ts'
import { admin, createServices, pushLayer, refTo, type Services } from '../support/service-fixture.ts'

const ref = refTo('team/app')
const other = refTo('team/other')
let directory: string
let services: Services

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-lost-'))
  services = await createServices({ driver: await FilesystemBlobStore.open(directory) })
  await services.repositories.create(admin, ref)
  await services.repositories.create(admin, other)
})
afterEach(async () => {
  await services.close()
  await rm(directory, { recursive: true })
})

const fileOf = (digest: Digest) => {
  const hex = digestHex(digest)
  return join(directory, 'blobs', 'sha256', hex.slice(0, 2), hex)
}

/** Bytes go in many ways, of which no record knows. */
const LOSSES: readonly (readonly [what: string, lose: (file: string) => Promise<void>])[] = [
  ['lost', (file) => rm(file)],
  ['cut off', (file) => truncate(file, 3)],
]

for (const [what, lose] of LOSSES)
  test(`a layer whose bytes were ${what} is told to nobody as being there, until it is pushed again`, async () => {
    const { layers } = services
    const digest = await pushLayer(services, ref, 'layer')
    await lose(fileOf(digest))
    const gone = expect.objectContaining({ code: 'blob-not-found' })
    await expect(layers.stat(admin, ref, digest)).rejects.toEqual(gone)
    await expect(layers.open(admin, ref, digest)).rejects.toEqual(gone)
    expect(await layers.availability(admin, ref, [digest])).toEqual([{ digest, state: 'UNAVAILABLE' }])
    expect(await layers.mount(admin, other, digest, ref)).toBe(false)

    await pushLayer(services, ref, 'layer')
    expect((await layers.stat(admin, ref, digest)).sizeBytes).toBe(5)
    const { read } = await layers.open(admin, ref, digest)
    expect(await new Response(await read()).text()).toBe('layer')
    expect(await layers.mount(admin, other, digest, ref)).toBe(true)
  })
