import { analysisCrashed, analysisTimedOut } from '../domain/inventory/errors.ts'
import { RegistryError } from '../domain/registry-error.ts'
import { PIECES_UNDER_WAY, type TaskMessage, type WorkerMessage } from './messages.ts'

/** What a task is given to talk to its worker. */
export interface Conversation {
  send(message: TaskMessage, transferred?: readonly ArrayBuffer[]): void
  /** Resolves when the worker has room for another piece. */
  room(): Promise<void>
  /** Fires when the task is over, in whatever way. */
  readonly over: AbortSignal
}

/** An answer that ends a task. */
export type Answer = Exclude<WorkerMessage, { readonly type: 'taken' | 'failed' }>

export interface Patience {
  /** For the whole task. */
  readonly totalMs: number
  /** For a sign of life while the worker has something to do. */
  readonly silenceMs: number
}

/**
 * One worker thread. It is started with its first task; after a task that ended badly (a crash, silence, a caller who
 * gave up) it is ended, and the next task finds a new one.
 */
export class WorkerThread {
  readonly #url: string
  #worker: Worker | undefined

  constructor(url: string) {
    this.#url = url
  }

  /**
   * Runs one task: `talk` sends what it takes, and the promise resolves with the worker's answer. One task at a time.
   * Throws what the worker reports, `analysis-timed-out`, `analysis-crashed`, what `talk` throws, and the signal's reason.
   */
  async run(
    talk: (conversation: Conversation) => Promise<void>,
    patience: Patience,
    signal: AbortSignal,
  ): Promise<Answer> {
    signal.throwIfAborted()
    this.#worker ??= this.#start()
    const worker = this.#worker
    worker.ref()
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const over = new AbortController()
    const waitingForRoom: (() => void)[] = []
    let roomLeft = PIECES_UNDER_WAY
    let sent = 0
    let lastWordAtMs = performance.now()

    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      lastWordAtMs = performance.now()
      if (data.type === 'taken') {
        sent--
        const next = waitingForRoom.shift()
        if (next === undefined) roomLeft++
        else next()
      } else if (data.type !== 'failed') resolve(data)
      else if (data.code !== undefined) reject(new TaskFailure(new RegistryError(data.code, data.message)))
      else reject(new Error(`An analysis failed unexpectedly: ${data.message}`))
    }
    worker.onerror = (event) => {
      event.preventDefault()
      reject(analysisCrashed())
    }
    const closed = () => reject(analysisCrashed())
    worker.addEventListener('close', closed)
    const giveUp = () => reject(signal.reason)
    signal.addEventListener('abort', giveUp)
    const deadline = setTimeout(
      () => reject(analysisTimedOut(`it took longer than ${patience.totalMs} ms`)),
      patience.totalMs,
    )
    const watch = setInterval(
      () => {
        if (sent > 0 && performance.now() - lastWordAtMs > patience.silenceMs)
          reject(analysisTimedOut(`its worker has stood still for ${patience.silenceMs} ms`))
      },
      Math.min(1_000, patience.silenceMs),
    )

    talk({
      over: over.signal,
      send: (message, transferred = []) => {
        if (sent++ === 0) lastWordAtMs = performance.now()
        worker.postMessage(message, [...transferred])
      },
      room: () => {
        if (roomLeft > 0) {
          roomLeft--
          return Promise.resolve()
        }
        return new Promise((go) => waitingForRoom.push(go))
      },
    }).catch(reject)

    try {
      return await promise
    } catch (error) {
      if (error instanceof TaskFailure) throw error.reason
      this.end()
      throw error
    } finally {
      clearTimeout(deadline)
      clearInterval(watch)
      signal.removeEventListener('abort', giveUp)
      worker.removeEventListener('close', closed)
      worker.onmessage = null
      worker.unref()
      over.abort()
    }
  }

  /** Ends the thread; a next task starts another one. */
  end(): void {
    const worker = this.#worker
    this.#worker = undefined
    worker?.terminate()
  }

  #start(): Worker {
    return new Worker(this.#url, { type: 'module', smol: true })
  }
}

/** The task failed, and the worker said so itself: it is well. */
class TaskFailure extends Error {
  readonly reason: RegistryError

  constructor(reason: RegistryError) {
    super(reason.message)
    this.reason = reason
  }
}
