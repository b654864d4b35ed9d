import type { LogFacts, Logger } from '../../../src/lib/logger.ts'

export interface Line extends LogFacts {
  readonly level: string
  readonly message: string
}

/** A logger that remembers, for tests that read the log. */
export interface MemoryLogger extends Logger {
  readonly lines: readonly Line[]
  /** Resolves with the first line that fits, now or later. */
  line(fits: (line: Line) => boolean): Promise<Line>
}

export function memoryLogger(): MemoryLogger {
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  const at = (level: string) => (facts: LogFacts, message: string) => {
    lines.push({ ...facts, level, message } as Line)
    for (const check of waiting) check()
  }
  return {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    isEnabled: () => true,
    flush: () => {},
    line: (fits) =>
      new Promise((resolve) => {
        const check = () => {
          const found = lines.find(fits)
          if (found === undefined) return
          waiting.delete(check)
          resolve(found)
        }
        waiting.add(check)
        check()
      }),
  }
}
