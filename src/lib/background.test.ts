import { expect, test } from 'bun:test'
import { Background } from './background.ts'

test('so many are worked on at a time, and all of them in the end', async () => {
  const background = new Background(3)
  const waiting: (() => void)[] = []
  let done = 0
  let begun = 0
  const handing = (async () => {
    for (let n = 0; n < 5; n++) {
      await background.begin(async () => {
        await new Promise<void>((resolve) => waiting.push(resolve))
        done++
      })
      begun++
    }
  })()
  await Promise.resolve()
  while (waiting.length < 3) await Promise.resolve()
  for (let n = 0; n < 50; n++) await Promise.resolve()
  expect([begun, done]).toEqual([3, 0])
  while (done < 5) {
    waiting.shift()?.()
    await Promise.resolve()
  }
  await handing
  await background.settled()
  expect(done).toBe(5)
})

test('a failure reaches whoever hands over the next, and whoever waits for all', async () => {
  const background = new Background(1)
  await background.begin(() => Promise.reject(new Error('full')))
  await expect(background.begin(async () => undefined)).rejects.toThrow('full')
  await expect(background.settled()).rejects.toThrow('full')
})
