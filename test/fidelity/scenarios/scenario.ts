import { expect, test } from 'bun:test'
import type { Texts } from '../../../src/config/config.ts'
import { startInProcess } from '../in-process-registry.ts'
import { World } from './world.ts'

/** Something that is done or looked at: it answers what it saw, or how it came out (`done`, or the code of the refusal). */
export type Step = (world: World) => Promise<unknown>

/** One line of a scenario. */
export interface Line {
  readonly word: string
  readonly step: Step
  readonly expected: unknown
}

/** What has to be so before: it must succeed. */
export const given = (...steps: readonly Step[]): Line => ({ word: 'given', step: inTurn(steps), expected: 'done' })
/** What happens, and how it comes out. */
export const when = (step: Step, outcome: unknown = 'done'): Line => ({ word: 'when', step, expected: outcome })
/** What is seen then. */
export const seen = (step: Step, value: unknown): Line => ({ word: 'seen', step, expected: value })

function inTurn(steps: readonly Step[]): Step {
  return async (world) => {
    for (const step of steps) {
      const outcome = await step(world)
      if (outcome !== 'done') return outcome
    }
    return 'done'
  }
}

/** A test for every scenario: its lines in turn, in a registry of its own. */
export function scenarios(table: Readonly<Record<string, readonly Line[]>>, settings: Texts = {}): void {
  for (const [name, lines] of Object.entries(table))
    test(name, async () => {
      const registry = await startInProcess(settings)
      const world = new World(registry)
      try {
        for (const [index, { word, step, expected }] of lines.entries()) {
          const line = `${word}, line ${index + 1}`
          expect([line, await step(world)]).toEqual([line, expected])
        }
        expect(registry.mistakes).toEqual([])
      } finally {
        await registry.close()
      }
    })
}
