import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push, servesEveryByte, wire } from '../support/clients/wire.ts'
import { buildImage, sha256 } from '../support/image-builder.ts'
import { filesHolding } from '../support/plaintext-search.ts'
import { freePort } from '../support/start-registry.ts'

const SECRET = 'nobody-may-read-these-words-on-the-disk'
const env = { ECRU_ENCRYPTION: 'on' }

describe('encryption at rest', () => {
  let dataDir: string
  let port: number

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ecru-encrypted-'))
    port = await freePort()
  })
  afterAll(() => rm(dataDir, { recursive: true, force: true }))

  test('a push that a SIGKILL interrupts goes on afterwards, and leaves nothing in clear', async () => {
    const open = () => openStage({ dataDir, port, env })
    const before = await open()
    await before.createRepository('en/app')
    const image = buildImage('encrypted')
    await push(before, 'en/app', image, 'v1')
    const content = Buffer.from(`${SECRET} `.repeat(200_000))
    const begun = await wire(before, 'en/app/blobs/uploads/', { method: 'POST' })
    const id = begun.headers.get('docker-upload-uuid') ?? ''
    const place = `en/app/blobs/uploads/${id}`
    const acknowledged = 3_000_000
    await wire(before, place, { method: 'PATCH', body: content.subarray(0, acknowledged) })
    expect(await filesHolding(dataDir, SECRET)).toEqual([])

    const gate = Promise.withResolvers<void>()
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(new Uint8Array(content.subarray(acknowledged, acknowledged + 1_000_000)))
        await gate.promise
      },
    })
    const cut = wire(before, place, { method: 'PATCH', body: endless, duplex: 'half' } as RequestInit).catch(
      () => 'cut',
    )
    await grown(before, acknowledged)
    await before.registry.kill()
    gate.resolve()
    await cut
    expect(await filesHolding(dataDir, SECRET)).toEqual([])

    const after = await open()
    try {
      const { status, headers } = await wire(after, place)
      expect(status).toBe(204)
      const staged = Number(headers.get('range')?.split('-')[1]) + 1
      expect(staged).toBeGreaterThanOrEqual(acknowledged)
      await wire(after, place, { method: 'PATCH', body: content.subarray(staged) })
      const done = await wire(after, `${place}?digest=${sha256(content)}`, { method: 'PUT' })
      expect(done.status).toBe(201)
      const pulled = await wire(after, `en/app/blobs/${sha256(content)}`)
      expect(sha256(new Uint8Array(await pulled.arrayBuffer()))).toBe(sha256(content))
      expect(await servesEveryByte(after, 'en/app', image)).toBe(true)
      expect(await filesHolding(dataDir, SECRET)).toEqual([])
    } finally {
      await after.close()
      await before.close()
    }
    expect(await filesHolding(dataDir, SECRET)).toEqual([])
  }, 60_000)
})

/** Waits until the server has written some of the part that is under way, by what lies in its directory. */
async function grown({ registry }: Stage, beyond: number): Promise<void> {
  const uploads = join(registry.dataDir, 'uploads')
  for (;;) {
    for (const name of await readdir(uploads)) if ((await stat(join(uploads, name))).size > beyond + 500_000) return
    await Bun.sleep(5)
  }
}
