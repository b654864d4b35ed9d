import pino from 'pino'

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

/** Lines are gathered up to this size… */
const BUFFER_BYTES = 16 * 1024
/** …or this long, whichever comes first. */
const FLUSH_INTERVAL_MS = 500

/** A logger that writes JSON lines (or short ones for people) to standard output, gathered so that a request costs no system call. */
export function createLogger({ level, format, descriptor = 1 }: LoggerOptions): Logger {
  const output = pino.destination({
    dest: descriptor,
    sync: true,
    minLength: format === 'json' ? BUFFER_BYTES : 0,
    maxWrite: 4 * BUFFER_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
  })
  // A closed pipe must not end the registry: it goes on, without a log.
  output.on('error', () => {})
  const target = format === 'json' ? output : { write: (line: string) => output.write(prettyLine(line)) }
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    target,
  )
  return {
    debug: (facts, message) => lines.debug(facts, message),
    info: (facts, message) => lines.info(facts, message),
    warn: (facts, message) => lines.warn(facts, message),
    error: (facts, message) => lines.error(facts, message),
    isEnabled: (wanted) => lines.isLevelEnabled(wanted),
    flush: () => output.flushSync(),
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

function prettyLine(line: string): string {
  const { time, level, msg, error, ...facts } = JSON.parse(line) as Record<string, unknown>
  const said = Object.entries(facts).map(([name, value]) => `${name}=${String(value)}`)
  const stack = (error as { readonly stack?: string } | undefined)?.stack
  const head = `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}`
  return `${[head, ...said].join(' ')}${stack === undefined ? '' : `\n${stack}`}\n`
}
