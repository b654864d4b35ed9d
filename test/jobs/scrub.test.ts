import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestHex } from '../../src/domain/digest.ts'
import { Scrub } from '../../src/jobs/scrub.ts'
import { FilesystemBlobStore } from '../../src/stores/blobs/filesystem.ts'
import { admin, createServices, pushLayer, refTo, type Services } from '../support/service-fixture.ts'

const ref = refTo('team/app')
const never = new AbortController().signal
let directory: string
let services: Services
let scrub: Scrub

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-scrub-'))
  services = await createServices({ driver: await FilesystemBlobStore.open(directory) })
  scrub = new Scrub(services.metadata, services.blobs, services.clock)
  await services.repositories.create(admin, ref)
})
afterEach(async () => {
  await services.close()
  await rm(directory, { recursive: true })
})

const fileOf = (digest: Awaited<ReturnType<typeof pushLayer>>) => {
  const hex = digestHex(digest)
  return join(directory, 'blobs', 'sha256', hex.slice(0, 2), hex)
}
const HOUR_MS = 3_600_000

describe('a scrub', () => {
  test('finds nothing wrong with what is right', async () => {
    await pushLayer(services, ref, 'one')
    await pushLayer(services, ref, 'two')
    expect(await scrub.run(never)).toMatchObject({ checkedBlobs: 2, checkedBytes: 6, faults: [] })
  })

  test('sets a corrupt blob aside, and the next push heals it', async () => {
    const digest = await pushLayer(services, ref, 'right')
    await writeFile(fileOf(digest), 'wrong')
    services.clock.advance(HOUR_MS)
    expect((await scrub.dryRun(never)).faults).toEqual([{ digest, fault: 'corrupt' }])
    expect((await services.layers.stat(admin, ref, digest)).digest).toBe(digest)
    expect((await scrub.run(never)).faults).toEqual([{ digest, fault: 'corrupt' }])
    await expect(services.layers.stat(admin, ref, digest)).rejects.toMatchObject({ code: 'blob-not-found' })
    expect(await Array.fromAsync(new Bun.Glob('quarantine/**/*').scan(directory))).toHaveLength(1)
    await pushLayer(services, ref, 'right')
    expect((await scrub.run(never)).faults).toEqual([])
  })

  test('drops the record of a missing blob, so that clients bring it again', async () => {
    const kept = await pushLayer(services, ref, 'kept')
    const lost = await pushLayer(services, ref, 'lost')
    await rm(fileOf(lost))
    services.clock.advance(HOUR_MS)
    expect((await scrub.run(never)).faults).toEqual([{ digest: lost, fault: 'missing' }])
    await expect(services.layers.stat(admin, ref, lost)).rejects.toMatchObject({ code: 'blob-not-found' })
    expect((await services.layers.stat(admin, ref, kept)).digest).toBe(kept)
  })

  test('leaves a blob alone that a push is just bringing', async () => {
    const digest = await pushLayer(services, ref, 'right')
    await writeFile(fileOf(digest), 'wrong')
    expect((await scrub.run(never)).faults).toEqual([{ digest, fault: 'corrupt' }])
    expect((await services.layers.stat(admin, ref, digest)).digest).toBe(digest)
  })

  test('changes nothing when nothing can be read, as with other keys', async () => {
    const digests: Awaited<ReturnType<typeof pushLayer>>[] = []
    for (let i = 0; i < 25; i++) digests.push(await pushLayer(services, ref, `layer ${i}`))
    for (const digest of digests) await writeFile(fileOf(digest), 'unreadable')
    services.clock.advance(HOUR_MS)
    await expect(scrub.run(never)).rejects.toThrow('its keys seem to be other ones')
    expect(await Array.fromAsync(new Bun.Glob('quarantine/**/*').scan(directory))).toEqual([])
    const linked = await services.metadata.view.blobs.list({ limit: 100 })
    expect(linked.every(({ linkCount }) => linkCount === 1)).toBe(true)
  })

  test('changes nothing when the store seems to be another one', async () => {
    for (let i = 0; i < 25; i++) await rm(fileOf(await pushLayer(services, ref, `layer ${i}`)))
    services.clock.advance(HOUR_MS)
    await expect(scrub.run(never)).rejects.toThrow('not mounted')
    expect((await services.metadata.view.blobs.list({ limit: 100 })).every(({ linkCount }) => linkCount === 1)).toBe(
      true,
    )
  })
})
