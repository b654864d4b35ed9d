import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempt, run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push, servesEveryByte } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { program, startRegistry } from '../support/start-registry.ts'

const TEST_MS = 120_000

let dir: string
let stage: Stage

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ecru-drill-e2e-'))
  stage = await openStage({ dataDir: join(dir, 'data'), env: { ECRU_ENCRYPTION: 'on' }, repositories: ['team/app'] })
}, 60_000)
afterAll(async () => {
  await stage.close()
  await rm(dir, { recursive: true, force: true })
})

/** The commands of the drill, block by block, as the document has them. */
async function drill(): Promise<readonly string[]> {
  const text = await readFile(new URL('../../docs/moving.md', import.meta.url), 'utf8')
  return [...text.matchAll(/^( *)```sh drill\n([\s\S]*?)^\1```$/gm)].map(([, , commands = '']) => commands)
}

test(
  'the drill of docs/moving.md, as it is written, brings everything back',
  async () => {
    const image = buildImage('drill')
    await push(stage, 'team/app', image, 'v1')
    await mkdir(join(dir, 'bin'))
    await writeFile(join(dir, 'bin/ecru'), `#!/bin/sh\nexec ${program().join(' ')} "$@"\n`, { mode: 0o755 })
    const env = {
      PATH: `${join(dir, 'bin')}:${process.env.PATH}`,
      ECRU_DATA_DIR: join(dir, 'data'),
      BACKUP: join(dir, 'backup'),
      KEY_COPY: join(dir, 'key-copy'),
      SPARE: join(dir, 'spare'),
      ECRU_ENCRYPTION: 'on',
    }
    const [backup = '', restore = '', look = '', file = '', ...more] = await drill()
    expect([backup, restore, look, file].every((commands) => commands.includes('ecru ')) && more.length === 0).toBe(
      true,
    )
    const done = async (commands: string) => run(['bash', '-ec', commands], { env })
    await done(backup)
    expect(await done(restore)).toContain('needs master key')
    expect(await done(look)).toContain('faults')
    await done(file)
    const { password } = stage
    for (const dataDir of [env.SPARE, `${env.SPARE}-2`]) {
      await using registry = await startRegistry({ dataDir, env: { ECRU_ENCRYPTION: 'on' } })
      // The login that clients have is still good.
      expect(await servesEveryByte({ url: registry.url, password }, 'team/app', image)).toBe(true)
    }
    // Without the key nothing is served, and what is missing is said.
    const keyless = join(dir, 'keyless')
    await run(['bash', '-ec', `ecru restore "$BACKUP" --data-dir ${keyless}`], { env })
    const refused = await attempt([...program(), 'info', '--data-dir', keyless], { env: { ECRU_ENCRYPTION: 'on' } })
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('master key')])
  },
  TEST_MS,
)
