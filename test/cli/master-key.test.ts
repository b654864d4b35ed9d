import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../../src/app.ts'
import { runCli } from '../../src/cli/program.ts'
import { MasterKeyUnavailable, readMasterKey } from '../../src/lib/master-key-source.ts'
import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import { fakeTerminal } from './fake-surroundings.ts'

let directory: string
let data: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
  data = join(directory, 'data')
  await mkdir(data)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function run(line: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: data, ...env })
  const exitCode = await runCli(line, terminal, createApp)
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

/** A secret that only the right key opens. */
async function keepSecret(path: string): Promise<void> {
  const store = await openSqliteMetadata(join(data, 'metadata.db'), readMasterKey({ kind: 'file', path }))
  await store.transact((tx) => tx.credentials.keepSecret('mine', new Uint8Array([1, 2, 3])))
  await store.close()
}

async function findSecret(path: string): Promise<Uint8Array | undefined> {
  const store = await openSqliteMetadata(join(data, 'metadata.db'), readMasterKey({ kind: 'file', path }))
  const secret = await store.view.credentials.findSecret('mine')
  await store.close()
  return secret
}

describe('the master key of an installation', () => {
  test('is made beside the data, for its owner alone, and stays', async () => {
    expect((await run(['gc'])).exitCode).toBe(0)
    const path = join(data, 'master.key')
    const made = await readFile(path, 'utf8')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await run(['gc'])).exitCode).toBe(0)
    expect(await readFile(path, 'utf8')).toBe(made)
  })

  test('is not made anew when the data need the one that is gone', async () => {
    await run(['gc'])
    await rm(join(data, 'master.key'))
    const { exitCode, complained } = await run(['gc'])
    expect(exitCode).toBe(1)
    expect(complained).toStartWith(
      'The secrets in the metadata are sealed, and the master key is neither configured nor',
    )
    expect(await stat(join(data, 'master.key')).catch(() => undefined)).toBeUndefined()
  })

  test('comes from the environment or a command when these are set, and a wrong one is said in one sentence', async () => {
    const [key, other] = ['ab'.repeat(32), 'cd'.repeat(32)]
    expect((await run(['gc'], { ECRU_MASTER_KEY: key })).exitCode).toBe(0)
    expect((await run(['gc'], { ECRU_MASTER_KEY_COMMAND: `echo ${key}` })).exitCode).toBe(0)
    const { exitCode, complained } = await run(['gc'], { ECRU_MASTER_KEY: other })
    expect([exitCode, complained]).toEqual([
      1,
      expect.stringMatching(/^The master key does not open the secrets in the metadata: .*\n$/),
    ])
    expect(await stat(join(data, 'master.key')).catch(() => undefined)).toBeUndefined()
  })
})

describe('ecru master-key', () => {
  test('generate prints a key that can be used', async () => {
    const { said } = await run(['master-key', 'generate'])
    const path = join(directory, 'generated')
    await writeFile(path, said)
    expect((await run(['gc'], { ECRU_MASTER_KEY_FILE: path })).exitCode).toBe(0)
  })

  test('rotate leaves a new key, which opens everything, and the old one opens nothing', async () => {
    await run(['gc'])
    const path = join(data, 'master.key')
    await keepSecret(path)
    await copyFile(path, join(directory, 'old'))
    expect(await run(['master-key', 'rotate'])).toMatchObject({ exitCode: 0, complained: '' })
    expect(readMasterKey({ kind: 'file', path }).id).not.toBe(
      readMasterKey({ kind: 'file', path: join(directory, 'old') }).id,
    )
    expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(1)
    expect(await findSecret(path)).toEqual(new Uint8Array([1, 2, 3]))
    await expect(findSecret(join(directory, 'old'))).rejects.toThrow(MasterKeyUnavailable)
  })

  test('rotate is refused where the key is no file, and where it opens nothing', async () => {
    const env = { ECRU_MASTER_KEY: 'ab'.repeat(32) }
    await run(['gc'], env)
    expect((await run(['master-key', 'rotate'], env)).complained).toStartWith(
      'The master key does not come from a file',
    )
    const path = join(directory, 'wrong')
    await writeFile(path, 'cd'.repeat(32))
    const { exitCode } = await run(['master-key', 'rotate'], { ECRU_MASTER_KEY_FILE: path })
    expect([exitCode, await readFile(path, 'utf8')]).toEqual([1, 'cd'.repeat(32)])
  })
})
