import type { Terminal } from './terminal.ts'

/** A line that a person who waits can watch; for anybody else there is none. */
export interface Progress {
  /** Says how far the work is, now and then. */
  show(sentence: () => string): void
  /** Takes the line away, so that what comes next stands alone. */
  end(): void
}

const EVERY_MS = 200
const CLEAR = '\r\u001b[K'

const SILENT: Progress = { show: () => undefined, end: () => undefined }

/** One line that is written over and over, for people who watch; nothing for programs. */
export function progressOn(terminal: Terminal, isWanted: boolean, now: () => number = Date.now): Progress {
  if (terminal.isWatched !== true || !isWanted) return SILENT
  let shownAtMs = Number.NEGATIVE_INFINITY
  return {
    show: (sentence) => {
      const at = now()
      if (at - shownAtMs < EVERY_MS) return
      shownAtMs = at
      terminal.err(`${CLEAR}${sentence()}`)
    },
    end: () => {
      if (shownAtMs !== Number.NEGATIVE_INFINITY) terminal.err(CLEAR)
    },
  }
}
