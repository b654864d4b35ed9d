import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WalFile } from './wal-file.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-wal-'))
  path = join(directory, 'log')
  await writeFile(path, '')
})
afterEach(() => rm(directory, { recursive: true }))

/** Syncs that end when they are told to, counted while they run. */
function gates() {
  const waiting: (() => void)[] = []
  let running = 0
  let most = 0
  const syncFile = async () => {
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => waiting.push(resolve))
    running--
  }
  return { syncFile, waiting, most: () => most }
}

test('who comes while a sync is under way shares the next one', async () => {
  const { syncFile, waiting } = gates()
  const log = new WalFile(path, 4096, syncFile)
  const first = log.sync()
  const [second, third] = [log.sync(), log.sync()]
  expect(second).toBe(third)
  waiting.shift()?.()
  await first
  await Bun.sleep(0)
  expect(waiting).toHaveLength(1)
  waiting.shift()?.()
  await Promise.all([second, third])
  log.close()
})

test('no two syncs run at once, whenever somebody comes', async () => {
  const { syncFile, waiting, most } = gates()
  const log = new WalFile(path, 4096, syncFile)
  let isOver = false
  // Comes again in every turn that follows the end of a sync, where one that waits has not begun yet.
  const come = async () => {
    while (!isOver) {
      await log.sync()
      for (let turn = 0; turn < 5; turn++) {
        void log.sync()
        await undefined
      }
    }
  }
  const comers = [come(), come(), come()]
  for (let round = 0; round < 50; round++) {
    for (const open of waiting.splice(0)) open()
    await Bun.sleep(0)
  }
  isOver = true
  const opening = setInterval(() => {
    for (const open of waiting.splice(0)) open()
  })
  await Promise.all(comers)
  await log.sync()
  clearInterval(opening)
  log.close()
  expect(most()).toBe(1)
})
