import { afterAll, expect, test } from 'bun:test'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempt, run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push, servesEveryByte } from '../support/clients/wire.ts'
import { buildImage, noise } from '../support/image-builder.ts'
import { program, startRegistry } from '../support/start-registry.ts'
import { looseVolume, type Volume, whyNoLooseVolume } from '../support/volume.ts'

const MB = 2 ** 20
const TIMEOUT_MS = 120_000
const image = buildImage('full', { layers: [{ noise: noise('full', 30 * MB) }] })

const reason = await whyNoLooseVolume()
const testOnVolume = reason === undefined ? test : test.skip
const why = reason === undefined ? '' : ` [skipped: no file system of its own: ${reason}]`

let dir: string | undefined
let stage: Stage | undefined
let volume: Volume | undefined

afterAll(async () => {
  await stage?.close()
  await volume?.remove()
  if (dir !== undefined) await rm(dir, { recursive: true, force: true })
})

testOnVolume(
  `a backup and a restore that have no room say so, and go on once there is some${why}`,
  async () => {
    dir = await mkdtemp(join(tmpdir(), 'ecru-backup-full-'))
    volume = await looseVolume(100 * MB)
    const data = join(dir, 'data')
    stage = await openStage({ dataDir: data, repositories: ['team/app'] })
    await push(stage, 'team/app', image, 'v1')
    const filler = join(volume.path, 'filler')
    const fill = () => writeFile(filler, Buffer.alloc(75 * MB))
    const ecru = (...args: string[]) => [...program(), ...args, '--data-dir', data]
    await fill()
    for (const name of ['backup', 'all.tar']) {
      const full = await attempt(ecru('backup', join(volume.path, name), '--include-keys'))
      expect([full.exitCode, full.stderr]).toEqual([1, expect.stringMatching(/Nothing can be written to|no room|full/)])
      expect(full.stderr).not.toContain('ServerException')
    }
    expect(await readdir(volume.path)).not.toContain('all.tar')
    await rm(filler)
    await run(ecru('backup', join(volume.path, 'backup'), '--include-keys'))
    await rm(join(volume.path, 'backup'), { recursive: true })

    const archive = join(dir, 'all.tar')
    await run(ecru('backup', archive, '--include-keys'))
    const restored = join(volume.path, 'restored')
    await fill()
    const restore = [...program(), 'restore', archive, '--data-dir', restored]
    const full = await attempt(restore)
    expect([full.exitCode, full.stderr]).toEqual([1, expect.stringContaining('no room')])
    await rm(filler)
    await run(restore)
    await using registry = await startRegistry({ dataDir: restored })
    expect(await servesEveryByte({ url: registry.url, password: stage.password }, 'team/app', image)).toBe(true)
  },
  TIMEOUT_MS,
)
