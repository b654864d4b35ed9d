import { existsSync } from 'node:fs'
import { isLoopbackHost } from '../config/addresses.ts'
import type { Config } from '../config/config.ts'
import { findHolder } from './data-lock.ts'
import type { Target } from './operator-client.ts'
import { CommandFailure } from './terminal.ts'

/**
 * The running server that a command is about: the one named by `--url`, else the one that holds the data directory.
 * `undefined`: nobody holds the directory, so that the command may open it itself. Throws `CommandFailure`.
 */
export function findTarget(config: Config, url: unknown): Target | undefined {
  if (typeof url === 'string') return { url: parseUrl(url), isLocal: false }
  if (config.storage.kind === 'memory') return { url: configuredUrl(config), isLocal: true }
  const { path } = config.storage
  if (!existsSync(path)) {
    throw new CommandFailure(`There is no data directory at ${path}: name it with --data-dir, or a server with --url.`)
  }
  const holder = findHolder(path)
  if (holder === undefined) return undefined
  if (holder.url !== undefined) return { url: holder.url, isLocal: true }
  const who = holder.command === undefined ? 'another process' : `\`ecru ${holder.command}\` (process ${holder.pid})`
  throw new CommandFailure(`The data directory ${path} is in use by ${who}. Try again in a moment.`)
}

/** Where a server with this configuration answers on this machine. */
export function configuredUrl({ host, port, tls }: Config): string {
  const reachable = isLoopbackHost(host) || !/^(0\.0\.0\.0|::)$/.test(host) ? host : '127.0.0.1'
  return `${tls === undefined ? 'http' : 'https'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CommandFailure(`--url must be the address of a server, such as http://localhost:4566, not '${text}'.`)
  }
  return url.origin
}
