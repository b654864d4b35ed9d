import { capture } from './child-processes.ts'
import { requireBinary } from './find-binary.ts'

/** Fetches one URL over 64 kept connections as fast as answers come, and returns answers a second; throws when any was not a success. */
export async function hammerGet(url: string, headers: Record<string, string>, seconds: number): Promise<number> {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const shape = ['-t1', '-c64', `-d${seconds}s`, '--timeout', '10s']
  const report = await capture([requireBinary('wrk'), ...shape, ...given, url])
  const refused = /Non-2xx or 3xx responses: \d+|Socket errors: .*/.exec(report)?.[0]
  if (refused !== undefined) throw new Error(`GET ${url}: ${refused}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1] ?? Number.NaN)
}
