import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { registryHostFor } from '../config/addresses.ts'
import { type Config, readConfig } from '../config/config.ts'
import { AUTHORITY_PATH } from '../protocols/http/authority.ts'
import { TLS_DIRECTORY } from '../tls/open-certificates.ts'
import { AUTHORITY_FILE } from '../tls/own-authority.ts'
import { carryOut, printPlan } from './client-plan.ts'
import { configuredUrl, findTarget } from './find-target.ts'
import type { Invocation } from './invocation.ts'
import type { Target } from './operator-client.ts'
import { CommandFailure, EXIT } from './terminal.ts'
import { TRUST_PLANS, type TrustingClient } from './trust-plans.ts'

/**
 * `ecru trust`: makes a client trust the certificates of a server, or (unless told to write) prints what would. An authority
 * that comes over the network is nothing to be believed blindly: its fingerprint is shown, and compared with the one given.
 */
export async function trust(client: string, { options, flags, terminal }: Invocation): Promise<number> {
  const plan = Object.hasOwn(TRUST_PLANS, client) ? TRUST_PLANS[client as TrustingClient] : undefined
  if (plan === undefined)
    throw new CommandFailure(`'${client}' is not a client that is known: ${Object.keys(TRUST_PLANS).join(', ')}.`)
  const { config } = readConfig(terminal.env, options)
  const target = findServer(config, flags.url)
  const authority = await authorityOf(config, target)
  const fingerprint = checkFingerprint(authority, flags.fingerprint)
  const request = {
    authority,
    hosts: hostsOf(config, target, flags.host),
    isRoot: process.getuid?.() === 0,
    home: terminal.env.HOME ?? homedir(),
    has: existsSync,
  }
  const steps = plan(request)
  if (flags.write === true) carryOut(steps, terminal)
  else printPlan(steps, terminal)
  terminal.err(`The fingerprint of the authority (SHA-256) is ${fingerprint}.\n`)
  return EXIT.ok
}

function findServer(config: Config, url: unknown): Target | undefined {
  if (url !== undefined || (config.storage.kind === 'directory' && existsSync(config.storage.path)))
    return findTarget(config, url)
  throw new CommandFailure('Which server? Name its data directory with --data-dir, or its address with --url.')
}

/** Of a running server as it shows it, of one that stands still as it lies in its directory. */
async function authorityOf({ storage }: Config, target: Target | undefined): Promise<string> {
  if (target === undefined) {
    const file = storage.kind === 'directory' ? join(storage.path, TLS_DIRECTORY, AUTHORITY_FILE) : ''
    if (existsSync(file)) return readFileSync(file, 'utf8')
    throw new CommandFailure(
      `There is no certificate authority at ${file}: it is made at the first start with ECRU_TLS_HOSTS.`,
    )
  }
  const url = new URL(AUTHORITY_PATH, target.url)
  let response: Response
  try {
    // Who is not trusted yet cannot prove who he is: the fingerprint does.
    response = await fetch(url, { tls: { rejectUnauthorized: false }, redirect: 'error' })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CommandFailure(`The server at ${target.url} cannot be reached: ${reason}`, { cause })
  }
  if (!response.ok)
    throw new CommandFailure(
      `The server at ${target.url} hands out no certificate authority: it speaks plain HTTP, or its certificates were signed by somebody else, whom clients have to trust.`,
    )
  return await response.text()
}

function checkFingerprint(authority: string, expected: unknown): string {
  const { fingerprint256 } = parse(authority)
  const plain = (text: string) => text.replaceAll(/^sha256:|[:\s]/gi, '').toUpperCase()
  if (typeof expected === 'string' && plain(expected) !== plain(fingerprint256))
    throw new CommandFailure(
      `The authority is not the one that was expected: its fingerprint is ${fingerprint256}. Nothing was changed.`,
    )
  return fingerprint256
}

function parse(certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate)
  } catch (cause) {
    throw new CommandFailure('What the server hands out is no certificate.', { cause })
  }
}

/** Those that were named, else the one that image names carry here. */
function hostsOf(config: Config, target: Target | undefined, given: unknown): readonly string[] {
  const named = Array.isArray(given) ? given.map(String) : []
  for (const host of named)
    if (!/^[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?(:[0-9]{1,5})?$/.test(host))
      throw new CommandFailure(`'${host}' is not a host as image names have it.`)
  if (named.length > 0) return named
  const { registryHost, defaultRegistry } = config
  if (registryHost !== undefined)
    return [registryHostFor(registryHost, defaultRegistry.registryId, defaultRegistry.region)]
  return [new URL(target?.url ?? configuredUrl(config)).host]
}
