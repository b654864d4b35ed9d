import { describe, expect, test } from 'bun:test'
import { type OwnMemory, ownMemory, QuietCollector } from './quiet-collector.ts'

const MB = 2 ** 20
const SECOND = 1000

/** A process with so much memory, of which a collection leaves so much. */
function processOf(residentMb: number, leftMb: number) {
  const state = { cpuMicros: 0, residentMb, collections: 0 }
  const memory: OwnMemory = {
    cpuMicros: () => state.cpuMicros,
    residentBytes: () => state.residentMb * MB,
    collect() {
      state.collections++
      state.residentMb = Math.min(state.residentMb, leftMb)
    },
  }
  return { state, collector: new QuietCollector(memory) }
}

describe('memory is given back once it is quiet', () => {
  test('what work has left behind is collected in the first interval without work', () => {
    const { state, collector } = processOf(100, 80)
    state.cpuMicros += 300_000
    collector.tick(SECOND)
    expect(state.collections).toBe(0)
    state.cpuMicros += 10_000
    collector.tick(SECOND)
    expect(state).toMatchObject({ collections: 1, residentMb: 80 })
  })

  test('not again before there is something to collect', () => {
    const { state, collector } = processOf(100, 80)
    for (let n = 0; n < 10; n++) collector.tick(SECOND)
    expect(state.collections).toBe(1)
    state.residentMb = 83
    collector.tick(SECOND)
    expect(state.collections).toBe(1)
    state.residentMb = 85
    collector.tick(SECOND)
    expect(state.collections).toBe(2)
  })

  test('what a collection cannot free does not make it collect for ever', () => {
    const { state, collector } = processOf(500, 500)
    for (let n = 0; n < 10; n++) collector.tick(SECOND)
    expect(state.collections).toBe(1)
  })

  test('never beside work', () => {
    const { state, collector } = processOf(500, 80)
    for (let n = 0; n < 10; n++) {
      state.cpuMicros += 21_000
      collector.tick(SECOND)
    }
    expect(state.collections).toBe(0)
  })

  test('a real process says what it holds and uses', () => {
    const before = ownMemory.cpuMicros()
    ownMemory.collect()
    expect(ownMemory.cpuMicros()).toBeGreaterThanOrEqual(before)
    expect(ownMemory.residentBytes()).toBeGreaterThan(10 * MB)
  })
})
