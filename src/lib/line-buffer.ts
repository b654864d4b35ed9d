import { writeSync } from 'node:fs'

/** Lines are gathered up to this size… */
const GATHERED_CHARS = 16 * 1024
/** …or this long, whichever comes first. */
const FLUSH_INTERVAL_MS = 500
/** What a slow reader may leave unread before lines are dropped: a log must not fill the memory. */
const WAITING_CHARS_MAX = 4 * 1024 * 1024

/**
 * Writes lines to a descriptor, many per system call. Never throws: what a descriptor that does not block cannot take is
 * kept for the next time, and beyond some size dropped; when the reader is gone, so is the log.
 */
export class LineBuffer {
  readonly #descriptor: number
  #waiting = ''
  #isBroken = false
  readonly #flushing: ReturnType<typeof setInterval>

  constructor(descriptor: number) {
    this.#descriptor = descriptor
    this.#flushing = setInterval(() => this.flush(), FLUSH_INTERVAL_MS)
    this.#flushing.unref()
  }

  write(line: string): void {
    if (this.#isBroken || this.#waiting.length > WAITING_CHARS_MAX) return
    this.#waiting += line
    if (this.#waiting.length >= GATHERED_CHARS) this.flush()
  }

  flush(): void {
    if (this.#waiting === '' || this.#isBroken) return
    let rest = Buffer.from(this.#waiting)
    try {
      while (rest.byteLength > 0) rest = rest.subarray(writeSync(this.#descriptor, rest))
      this.#waiting = ''
    } catch (failure) {
      const { code } = failure as NodeJS.ErrnoException
      if (code === 'EAGAIN') this.#waiting = rest.toString()
      else this.#break()
    }
  }

  #break(): void {
    this.#isBroken = true
    this.#waiting = ''
    clearInterval(this.#flushing)
  }
}
