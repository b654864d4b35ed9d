import { LineBuffer } from './line-buffer.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * What a line may carry: plain facts and the error, chosen one by one. Headers, bodies, requests and records do not
 * fit this type, so that no secret slips into a log inside of one.
 */
export type LogFacts = Readonly<Record<string, string | number | boolean | Error | undefined>>

/** Structured logging: one fact-carrying line per call. */
export interface Logger {
  debug(facts: LogFacts, message: string): void
  info(facts: LogFacts, message: string): void
  warn(facts: LogFacts, message: string): void
  error(facts: LogFacts, message: string): void
  isEnabled(level: Exclude<LogLevel, 'silent'>): boolean
  /** Writes out what is buffered. Before the process ends, at the latest. */
  flush(): void
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: 'json' | 'pretty'
  /** The file descriptor to write to: standard output. */
  readonly descriptor?: number
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[]

/** A logger that writes JSON lines (or short ones for people) to standard output, gathered so that a request costs no system call. */
export function createLogger({ level, format, descriptor = 1 }: LoggerOptions): Logger {
  const output = new LineBuffer(descriptor)
  const isEnabled = (wanted: LogLevel) => LEVELS.indexOf(wanted) >= LEVELS.indexOf(level)
  const writer = (own: Exclude<LogLevel, 'silent'>) => {
    if (!isEnabled(own)) return () => {}
    return (facts: LogFacts, msg: string) => {
      const time = new Date().toISOString()
      if (format === 'json') return output.write(jsonLine(own, time, facts, msg))
      output.write(prettyLine(own, time, facts, msg))
      output.flush()
    }
  }
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    isEnabled,
    flush: () => output.flush(),
  }
}

/** A logger that says nothing, for tests and for commands. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  isEnabled: () => false,
  flush: () => {},
}

/** Not all that an error may carry: what it is, what it says, where it was thrown, and the same of its cause. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack, cause } = error
  const { code } = error as { readonly code?: unknown }
  return {
    name,
    message,
    ...(typeof code === 'string' ? { code } : {}),
    stack,
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  }
}

function jsonLine(level: LogLevel, time: string, facts: LogFacts, msg: string): string {
  const line: Record<string, unknown> = { level, time, ...facts, msg }
  for (const name in facts) if (facts[name] instanceof Error) line[name] = describeError(facts[name])
  return `${JSON.stringify(line)}\n`
}

function prettyLine(level: LogLevel, time: string, { error, ...facts }: LogFacts, message: string): string {
  const said = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : `${name}=${String(value)}`))
  const stack = error instanceof Error ? error.stack : undefined
  const head = `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}`
  return `${[head, ...said].join(' ')}${stack === undefined ? '' : `\n${stack}`}\n`
}
