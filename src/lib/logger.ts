import pino from 'pino'
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

/** A logger that writes JSON lines (or short ones for people) to standard output, gathered so that a request costs no system call. */
export function createLogger({ level, format, descriptor = 1 }: LoggerOptions): Logger {
  const output = new LineBuffer(descriptor)
  const write = (line: string) => {
    output.write(format === 'json' ? line : prettyLine(line))
    if (format === 'pretty') output.flush()
  }
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    { write },
  )
  return {
    debug: (facts, message) => lines.debug(facts, message),
    info: (facts, message) => lines.info(facts, message),
    warn: (facts, message) => lines.warn(facts, message),
    error: (facts, message) => lines.error(facts, message),
    isEnabled: (wanted) => lines.isLevelEnabled(wanted),
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

function prettyLine(line: string): string {
  const { time, level, msg, error, ...facts } = JSON.parse(line) as Record<string, unknown>
  const said = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`)
  const stack = (error as { readonly stack?: string } | undefined)?.stack
  const head = `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}`
  return `${[head, ...said].join(' ')}${stack === undefined ? '' : `\n${stack}`}\n`
}
