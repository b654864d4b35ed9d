import type { Digest } from '../../domain/digest.ts'
import { evaluateInSteps, type LifecycleDecision, type LifecycleImage } from '../../domain/lifecycle/evaluate.ts'
import { parseLifecyclePolicy } from '../../domain/lifecycle/parse.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Activations } from '../images/activations.ts'
import type { PullTimes } from '../images/pulls.ts'

/** How many images one step reads. */
const STEP = 500

export interface LifecycleVerdict {
  /** How many images the repository holds. */
  readonly imageCount: number
  /** Oldest image first. */
  readonly decisions: readonly LifecycleDecision[]
}

/** Finds out what a policy would do to a repository as it is at one moment; the one evaluation behind previews and runs. */
export class LifecycleEvaluation {
  readonly #metadata: MetadataStore
  readonly #pulls: PullTimes
  readonly #activations: Activations
  readonly #clock: Clock

  constructor(metadata: MetadataStore, pulls: PullTimes, activations: Activations, clock: Clock) {
    this.#metadata = metadata
    this.#pulls = pulls
    this.#activations = activations
    this.#clock = clock
  }

  /** `rest` is awaited between steps of some milliseconds; what it throws passes on. */
  async judge(repositoryId: number, text: string, rest: () => Promise<void>): Promise<LifecycleVerdict> {
    const rules = parseLifecyclePolicy(text)
    const images = await this.#load(repositoryId, rest)
    const steps = evaluateInSteps(rules, images, this.#clock.now())
    for (;;) {
      const step = steps.next()
      if (step.done) return { imageCount: images.length, decisions: step.value }
      await rest()
    }
  }

  async #load(repositoryId: number, rest: () => Promise<void>): Promise<readonly LifecycleImage[]> {
    await this.#pulls.flush()
    await this.#activations.settle()
    return this.#metadata.read(async (view) => {
      const images: LifecycleImage[] = []
      let after: Digest | undefined
      for (;;) {
        const page = await view.lifecycle.listImages(repositoryId, { after, limit: STEP })
        images.push(...page)
        after = page.at(-1)?.digest
        if (page.length < STEP) return images
        await rest()
      }
    })
  }
}
