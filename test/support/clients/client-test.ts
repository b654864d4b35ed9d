import { test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where CI keeps the clients it installed; they are preferred to those of the machine. */
const TOOLS = process.env.CI_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'ecru-ci')

/** Long enough for a client that starts a daemon on a busy machine. */
const TEST_TIMEOUT_MS = 240_000

/** A client's program: from the variable `TEST_CLIENT_<NAME>`, CI's tools, or the PATH. */
export function findClient(name: string): string | undefined {
  const named = process.env[`TEST_CLIENT_${name.replaceAll('-', '_').toUpperCase()}`]
  if (named !== undefined) return named
  const installed = join(TOOLS, 'bin', name)
  return existsSync(installed)
    ? installed
    : (Bun.which(name, { PATH: `${process.env.PATH}:/usr/sbin:/sbin` }) ?? undefined)
}

/** Whether all of these clients are there, for what a test prepares before it. */
export function hasClients(...names: readonly string[]): boolean {
  return names.every((name) => findClient(name) !== undefined)
}

/** The program of a client that the test has asked for with {@link testWith}. */
export function client(name: string): string {
  const found = findClient(name)
  if (found === undefined) throw new Error(`${name} is not installed; .ci/install-clients installs it`)
  return found
}

/**
 * A `test` that needs real clients. Where one is missing, the test is skipped with the reason in its name; in CI
 * (`CI=true`) it fails instead, unless the installation noted that the client cannot be had, which is the reason then.
 */
export function testWith(
  ...clients: readonly string[]
): (name: string, body: () => Promise<void>, timeoutMs?: number) => void {
  const missing = clients.filter((name) => findClient(name) === undefined)
  const refused = missing.map(whyUnavailable).find((reason) => reason !== undefined)
  return (name, body, timeoutMs = TEST_TIMEOUT_MS) => {
    if (missing.length === 0) test(name, body, timeoutMs)
    else if (refused !== undefined) test.skip(`${name} [skipped: ${refused}]`, body)
    else if (process.env.CI === 'true')
      test(name, () => Promise.reject(new Error(`not installed: ${missing.join(', ')}`)))
    else test.skip(`${name} [skipped: not installed: ${missing.join(', ')}]`, body)
  }
}

function whyUnavailable(name: string): string | undefined {
  const note = join(TOOLS, 'unavailable', name)
  return existsSync(note) ? `${name}: ${readFileSync(note, 'utf8').trim()}` : undefined
}
