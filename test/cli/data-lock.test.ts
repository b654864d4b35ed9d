import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findHolder, lockDataDirectory } from '../../src/cli/data-lock.ts'
import { CommandFailure } from '../../src/cli/terminal.ts'

let parent: string
let directory: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ecru-lock-'))
  directory = join(parent, 'data')
})

afterEach(async () => {
  await rm(parent, { recursive: true, force: true })
})

/** Another process that takes the lock, announces itself, and waits. */
async function otherHolder() {
  const script = `
    import { lockDataDirectory } from ${JSON.stringify(join(import.meta.dir, '../../src/cli/data-lock.ts'))}
    lockDataDirectory(${JSON.stringify(directory)}, 'serve').announce('http://127.0.0.1:9999')
    console.log('held')
    setInterval(() => {}, 1000)`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  const said = child.stdout.getReader()
  await said.read()
  return child
}

test('the directory is made for its owner alone', async () => {
  lockDataDirectory(directory, 'serve').release()
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
})

test('nobody else gets the lock while it is held, in this process or another', async () => {
  const lock = lockDataDirectory(directory, 'gc')
  expect(() => lockDataDirectory(directory, 'serve')).toThrow(CommandFailure)
  lock.release()
  const other = await otherHolder()
  expect(() => lockDataDirectory(directory, 'gc')).toThrow(
    `The data directory ${directory} is in use by \`ecru serve\` (process ${other.pid}) at http://127.0.0.1:9999.`,
  )
  expect(findHolder(directory)).toEqual({ pid: other.pid, command: 'serve', url: 'http://127.0.0.1:9999' })
  other.kill()
  await other.exited
})

test('a holder that was killed holds nothing, whatever it left behind', async () => {
  const other = await otherHolder()
  other.kill('SIGKILL')
  await other.exited
  expect(findHolder(directory)).toBeUndefined()
  lockDataDirectory(directory, 'serve').release()
})

test('released twice is released, and leaves the empty lock file only', async () => {
  const lock = lockDataDirectory(directory, 'serve')
  lock.announce('http://127.0.0.1:1')
  lock.release()
  lock.release()
  expect(findHolder(directory)).toBeUndefined()
  expect(await readdir(directory)).toEqual(['ecru.lock'])
})

test('a directory that cannot be made is explained', () => {
  const impossible = '/dev/null/data'
  expect(() => lockDataDirectory(impossible, 'serve')).toThrow(`The data directory ${impossible} cannot be made: `)
})

test('a holder that finds no room for its name holds the lock all the same', async () => {
  await mkdir(join(directory, 'ecru.json.new'), { recursive: true })
  const lock = lockDataDirectory(directory, 'serve')
  expect(findHolder(directory)).toEqual({})
  lock.release()
  expect(findHolder(directory)).toBeUndefined()
})
