import { spawn } from 'node:child_process'

export interface TrivySettings {
  /** The program, by its path or as `PATH` finds it. */
  readonly program: string
  /** For one run. */
  readonly timeoutMs: number
}

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024
const COMPLAINT_BYTES_MAX = 4 * 1024
/** What it may see of our environment: where its files are, how it reaches its database, and its own settings. */
const ENVIRONMENT = /^(PATH|HOME|TMPDIR|XDG_\w+|SSL_CERT_(FILE|DIR)|(https?|no|all)_proxy|TRIVY_\w+)$/i

/** Trivy's command line, a process for each question, which ends with it. */
export class TrivyCommand {
  readonly #settings: TrivySettings

  constructor(settings: TrivySettings) {
    this.#settings = settings
  }

  /** Throws `Error` with a sentence when it fails, takes too long, or prints too much or no JSON. */
  async scanLayout(directory: string, signal: AbortSignal): Promise<unknown> {
    const how = ['--format', 'json', '--list-all-pkgs', '--scanners', 'vuln', '--quiet']
    return await this.#ask(['image', ...how, '--input', directory], signal)
  }

  async version(signal: AbortSignal): Promise<unknown> {
    return await this.#ask(['version', '--format', 'json'], signal)
  }

  async #ask(args: readonly string[], signal: AbortSignal): Promise<unknown> {
    const text = await this.#run(args, signal)
    try {
      return JSON.parse(text) as unknown
    } catch {
      throw new Error('it printed no JSON')
    }
  }

  #run(args: readonly string[], signal: AbortSignal): Promise<string> {
    const { program, timeoutMs } = this.#settings
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name)))
      // A group of its own, so that what it starts ends with it.
      const child = spawn(program, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
      const output: Buffer[] = []
      let outputBytes = 0
      let complaint = ''
      const giveUp = (reason: Error) => {
        end(child.pid)
        reject(reason)
      }
      const timer = setTimeout(() => giveUp(new Error(`it took longer than ${timeoutMs / 1000} s`)), timeoutMs)
      const aborted = () => giveUp(signal.reason instanceof Error ? signal.reason : new Error('it was broken off'))
      signal.addEventListener('abort', aborted, { once: true })
      child.stdout.on('data', (piece: Buffer) => {
        outputBytes += piece.byteLength
        if (outputBytes > OUTPUT_BYTES_MAX) giveUp(new Error('it printed too much'))
        else output.push(piece)
      })
      child.stderr.on('data', (piece: Buffer) => {
        complaint = `${complaint}${piece.toString('utf8')}`.slice(-COMPLAINT_BYTES_MAX)
      })
      const settle = (work: () => void) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', aborted)
        work()
      }
      child.on('error', (error) => settle(() => reject(new Error(`it cannot be run: ${error.message}`))))
      child.on('close', (code, killedBy) =>
        settle(() => {
          if (code === 0) resolve(Buffer.concat(output).toString('utf8'))
          else reject(new Error(`it ended with ${code ?? killedBy}: ${lastLine(complaint)}`))
        }),
      )
    })
  }
}

function end(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() || 'it said nothing'
}
