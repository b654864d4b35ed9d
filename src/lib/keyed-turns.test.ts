import { describe, expect, test } from 'bun:test'
import { KeyedTurns } from './keyed-turns.ts'

describe('turns', () => {
  test('are one at a time for a key, and independent for others', async () => {
    const turns = new KeyedTurns()
    const order: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = turns.take('a', 5_000, async () => {
      order.push('first begins')
      await gate.promise
      order.push('first ends')
    })
    const second = turns.take('a', 5_000, async () => void order.push('second'))
    await turns.take('b', 0, async () => void order.push('other'))
    gate.resolve()
    await Promise.all([first, second])
    expect(order).toEqual(['first begins', 'other', 'first ends', 'second'])
  })

  test('pass on when the holder fails', async () => {
    const turns = new KeyedTurns()
    const failing = turns.take('a', 0, async () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await turns.take('a', 0, async () => 'mine')).toBe('mine')
  })

  test('are taken from a holder that stands still', async () => {
    const turns = new KeyedTurns()
    const stalled = turns.take(
      'a',
      0,
      ({ signal }) =>
        new Promise<string>((resolve) => {
          signal.addEventListener('abort', () => resolve('let go'))
        }),
    )
    expect(await turns.take('a', 60_000, async () => 'mine')).toBe('mine')
    expect(await stalled).toBe('let go')
  })

  test('are not taken from a holder that moves', async () => {
    const turns = new KeyedTurns()
    let isDone = false
    const busy = turns.take('a', 0, async ({ progress, signal }) => {
      while (!isDone) {
        progress()
        await Bun.sleep(5)
      }
      return signal.aborted
    })
    expect(await turns.take('a', 50, async () => 'mine')).toBeUndefined()
    isDone = true
    expect(await busy).toBe(false)
  })
})
