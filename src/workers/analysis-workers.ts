import { ANALYSER_VERSION } from '../domain/inventory/analyser-version.ts'
import { INVENTORY_LIMITS, type InventoryLimits } from '../domain/inventory/limits.ts'
import type { MergedLayers } from '../domain/inventory/merge.ts'
import type { FileKind } from '../domain/inventory/selection.ts'
import type { ImageLayer, LayerAnalyser, SealedFacts } from '../services/scanning/layer-analyser.ts'
import { type Answer, type Conversation, WorkerThread } from './worker-thread.ts'

export interface AnalysisWorkersOptions {
  /** The program of a worker, `analysis-worker.ts`, as the process finds it. */
  readonly workerUrl: string
  readonly limits?: InventoryLimits
  /** How many layers are analysed at a time. */
  readonly count?: number
  /** How long a worker that has nothing to do is kept. */
  readonly idleMs?: number
  /** Whether clients are being served: layers are then read with pauses. Never, when absent. */
  readonly isBusy?: () => boolean
}

const IDLE_MS = 30_000
/** So long a layer is read before it is asked whether others wait. */
const STRETCH_MS = 20
/** A pause is so many times as long as the work before it: of two cores a scan beside traffic takes less than a fifth. */
const PAUSE_FACTOR = 2
/** However busy it is, a layer is read in time: pauses take this part of the time that it may take. */
const PAUSES_PART_MAX = 0.5

/** Worker threads that read layers, so that the registry keeps answering. None runs while there is nothing to do. */
export class AnalysisWorkers implements LayerAnalyser {
  readonly #limits: InventoryLimits
  readonly #idleMs: number
  readonly #isBusy: () => boolean
  readonly #threads: readonly WorkerThread[]
  readonly #free: WorkerThread[]
  readonly #waiting: ((thread: WorkerThread) => void)[] = []
  #idleTimer: ReturnType<typeof setTimeout> | undefined

  constructor({
    workerUrl,
    limits = INVENTORY_LIMITS,
    count = 1,
    idleMs = IDLE_MS,
    isBusy = () => false,
  }: AnalysisWorkersOptions) {
    this.#limits = limits
    this.#idleMs = idleMs
    this.#isBusy = isBusy
    this.#threads = Array.from({ length: count }, () => new WorkerThread(workerUrl))
    this.#free = [...this.#threads]
  }

  async analyse(layer: ImageLayer, wanted: ReadonlyMap<string, FileKind>, signal: AbortSignal): Promise<SealedFacts> {
    const answer = await this.#run(async (conversation) => {
      conversation.send({ type: 'analyse', mediaType: layer.mediaType, limits: this.#limits, wanted })
      await sendPieces(await layer.open(), conversation, new Pauses(this.#isBusy, this.#limits.layerMs))
    }, signal)
    return answer.type === 'analysed' ? answer.facts : unexpected(answer)
  }

  async merge(layers: Parameters<LayerAnalyser['merge']>[0], signal: AbortSignal): Promise<MergedLayers> {
    const answer = await this.#run(
      async ({ send }) => send({ type: 'merge', layers, analyserVersion: ANALYSER_VERSION }),
      signal,
    )
    return answer.type === 'merged' ? answer.merged : unexpected(answer)
  }

  /** Ends all threads. What is under way fails with `analysis-crashed`. */
  close(): void {
    clearTimeout(this.#idleTimer)
    for (const thread of this.#threads) thread.end()
  }

  async #run(talk: (conversation: Conversation) => Promise<void>, signal: AbortSignal): Promise<Answer> {
    const thread = await this.#take(signal)
    try {
      return await thread.run(talk, { totalMs: this.#limits.layerMs, silenceMs: this.#limits.silenceMs }, signal)
    } finally {
      this.#giveBack(thread)
    }
  }

  #take(signal: AbortSignal): Promise<WorkerThread> {
    clearTimeout(this.#idleTimer)
    // The one used last has its program loaded.
    const thread = this.#free.pop()
    if (thread !== undefined) return Promise.resolve(thread)
    return new Promise((resolve, reject) => {
      const go = (freed: WorkerThread) => {
        signal.removeEventListener('abort', giveUp)
        resolve(freed)
      }
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(go)
    })
  }

  #giveBack(thread: WorkerThread): void {
    const next = this.#waiting.shift()
    if (next !== undefined) {
      next(thread)
      return
    }
    this.#free.push(thread)
    if (this.#free.length < this.#threads.length) return
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      for (const idle of this.#free) idle.end()
    }, this.#idleMs)
    this.#idleTimer.unref()
  }
}

/** Pauses in reading a layer, for those who wait for the processor. */
class Pauses {
  readonly #isBusy: () => boolean
  #leftMs: number
  #resumedAtMs = performance.now()

  constructor(isBusy: () => boolean, layerMs: number) {
    this.#isBusy = isBusy
    this.#leftMs = layerMs * PAUSES_PART_MAX
  }

  /** To be called between two pieces. */
  async take(): Promise<void> {
    const workedMs = performance.now() - this.#resumedAtMs
    if (workedMs < STRETCH_MS) return
    const pauseMs = Math.min(workedMs * PAUSE_FACTOR, this.#leftMs)
    if (pauseMs > 0 && this.#isBusy()) {
      this.#leftMs -= pauseMs
      await Bun.sleep(pauseMs)
    }
    this.#resumedAtMs = performance.now()
  }
}

/** Sends a stream piece by piece, as the worker takes them, and lets go of it when the task is over. */
async function sendPieces(
  stream: ReadableStream<Uint8Array>,
  { send, room, over }: Conversation,
  pauses: Pauses,
): Promise<void> {
  const reader = stream.getReader()
  const letGo = () => void reader.cancel().catch(() => {})
  over.addEventListener('abort', letGo)
  try {
    for (;;) {
      await room()
      await pauses.take()
      const { done, value } = await reader.read()
      if (over.aborted) return
      if (done) break
      const bytes = ownBytes(value)
      send({ type: 'piece', bytes }, [bytes.buffer])
    }
    send({ type: 'end' })
  } finally {
    over.removeEventListener('abort', letGo)
    if (over.aborted) letGo()
  }
}

/** Bytes that can change hands: with a buffer of their own that nobody else looks into. */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

function unexpected(answer: Answer): never {
  throw new Error(`A worker answered ${answer.type} to another question`)
}
