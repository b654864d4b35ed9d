import { mergeLayers } from '../domain/inventory/merge.ts'
import { isRegistryError } from '../domain/registry-error.ts'
import { analyseLayer } from './layer-analysis.ts'
import type { TaskMessage, WorkerMessage } from './messages.ts'
import { openFacts, sealFacts } from './sealed-facts.ts'

declare const self: Worker

/** The pieces of the layer under analysis, in the order in which they come. */
class Pieces implements AsyncIterable<Uint8Array> {
  readonly #waiting: Uint8Array[] = []
  #isEnded = false
  #wake: (() => void) | undefined

  push(piece: Uint8Array): void {
    this.#waiting.push(piece)
    this.#wake?.()
  }

  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const piece = this.#waiting.shift()
      if (piece !== undefined) {
        yield piece
        answer({ type: 'taken' })
      } else if (this.#isEnded) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

let pieces: Pieces | undefined

self.onmessage = ({ data }: MessageEvent<TaskMessage>) => {
  switch (data.type) {
    case 'analyse': {
      const source = new Pieces()
      pieces = source
      void finish(async () => {
        const facts = sealFacts(await analyseLayer(source, data))
        return { type: 'analysed', facts }
      })
      break
    }
    case 'piece':
      pieces?.push(data.bytes)
      break
    case 'end':
      pieces?.end()
      break
    case 'merge':
      void finish(async () => {
        const layers = data.layers.map(({ digest, facts }) => ({ digest, facts: openFacts(facts) }))
        return { type: 'merged', merged: mergeLayers(layers, data.analyserVersion) }
      })
      break
  }
}

async function finish(work: () => Promise<WorkerMessage>): Promise<void> {
  try {
    answer(await work())
  } catch (error) {
    if (isRegistryError(error)) answer({ type: 'failed', code: error.code, message: error.message })
    else answer({ type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

function answer(message: WorkerMessage): void {
  self.postMessage(message)
}
