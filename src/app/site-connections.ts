import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ReplicationSite } from '../config/replication-sites.ts'
import type { Registry } from '../domain/names.ts'
import { DROPPED_TAGS, printSource, REPLICATED_FROM, readDroppedTags } from '../domain/replication/wire.ts'
import { upstreamUnavailable } from '../domain/upstream-errors.ts'
import type { ReplicationSiteClient } from '../services/replication/site-replication.ts'
import type { Foundation } from './foundation.ts'

const ANSWER_MS = 60_000
const STALL_MS = 60_000
const RETRIES = { attempts: 3, waitMsMax: 5_000 }
/** A login lives for twelve hours. */
const LOGIN_MS = 6 * 3_600_000

/** One client for each registry whose images go to the site. What talks to it is loaded when the first goes there. */
export function siteConnections(foundation: Foundation, site: ReplicationSite) {
  const clients = new Map<string, Promise<ReplicationSiteClient>>()
  return (source: Registry, closing: AbortSignal) => {
    const key = printSource(source)
    const client = clients.get(key) ?? connect(foundation, site, source, closing)
    clients.set(key, client)
    client.catch(() => clients.delete(key))
    return client
  }
}

async function connect(
  { realClock }: Foundation,
  site: ReplicationSite,
  source: Registry,
  closing: AbortSignal,
): Promise<ReplicationSiteClient> {
  const { RegistryClient } = await import('../clients/registry.ts')
  const { siteLogin } = await import('../clients/site-login.ts')
  const caCertificates = site.caFile === undefined ? undefined : await readOf(site, 'certificates', site.caFile)
  const settings = {
    // Where the operator's own sites are is the operator's word.
    ...{ allowsPrivateAddresses: true, allowsHttp: site.endpoint.protocol === 'http:', caCertificates },
    ...{ answerMs: ANSWER_MS, stallMs: STALL_MS, ...RETRIES, random: Math.random },
    pause: async (ms: number, signal: AbortSignal | undefined) => {
      await sleep(ms, undefined, signal === undefined ? {} : { signal })
    },
    headers: site.kind === 'ecru' ? { [REPLICATED_FROM]: printSource(source) } : {},
  }
  const nowMs = () => realClock.now().getTime()
  let login: { readonly value: Awaited<ReturnType<typeof siteLogin>>; readonly untilMs: number } | undefined
  const client = new RegistryClient(
    site.endpoint,
    async (isRefused) => {
      if (login === undefined || isRefused || login.untilMs <= nowMs()) {
        // Read each time, so that a key can be rotated.
        const secretAccessKey = (await readOf(site, 'secret', site.secretAccessKeyFile)).trim()
        const key = { accessKeyId: site.accessKeyId, secretAccessKey }
        const value = await siteLogin(site.api, site.region, key, settings, closing)
        login = { value, untilMs: nowMs() + LOGIN_MS }
      }
      return login.value
    },
    settings,
    realClock,
  )
  return {
    knowsReplication: site.kind === 'ecru',
    pushBlob: async (repository, digest, blob, notes, signal) => {
      await client.pushBlob(repository, digest, blob, { signal, notes })
    },
    deleteManifest: (repository, reference, signal) => client.deleteManifest(repository, reference, signal),
    putManifest: async (repository, reference, { digest, bytes, mediaType }, signal) => {
      const header = await client.putManifest(repository, reference, bytes, mediaType, signal)
      // Whoever answers 200 to everything has stored nothing.
      if (header('docker-content-digest') !== digest)
        throw upstreamUnavailable(`${client.host} does not say that it has stored ${digest}`)
      return readDroppedTags(header(DROPPED_TAGS))
    },
  }
}

/** Throws `upstream-unavailable`: without it the site cannot be reached, until somebody puts it there. */
async function readOf({ region }: ReplicationSite, what: 'secret' | 'certificates', file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw upstreamUnavailable(`The ${what} for ${region} cannot be read`, { cause })
  }
}
