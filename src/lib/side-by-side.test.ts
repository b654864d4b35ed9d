import { expect, test } from 'bun:test'
import { sideBySide } from './side-by-side.ts'

test('everything is worked on, never more than the limit at a time', async () => {
  let now = 0
  let most = 0
  const done: number[] = []
  await sideBySide([5, 1, 4, 2, 3, 6], 3, async (item) => {
    most = Math.max(most, ++now)
    for (let turn = 0; turn < 10 * item; turn++) await Promise.resolve()
    now--
    done.push(item)
  })
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6])
  expect(most).toBe(3)
})

test('the first failure is thrown once all under way have ended, and nothing more is begun', async () => {
  const ended: number[] = []
  const working = sideBySide([1, 2, 3, 4, 5, 6, 7, 8], 2, async (item) => {
    await Promise.resolve()
    if (item === 2) throw new Error('second')
    ended.push(item)
  })
  await expect(working).rejects.toThrow('second')
  expect(ended).not.toContain(8)
})

test('the failure of what gives the items passes on', async () => {
  async function* broken() {
    yield 1
    throw new Error('source')
  }
  const seen: number[] = []
  await expect(sideBySide(broken(), 4, async (item) => void seen.push(item))).rejects.toThrow('source')
  expect(seen).toEqual([1])
})
