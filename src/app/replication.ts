import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseReplicationSites, type ReplicationSite, siteOf } from '../config/replication-sites.ts'
import type { Registry } from '../domain/names.ts'
import { DROPPED_TAGS, printSource, REPLICATED_FROM, readDroppedTags } from '../domain/replication/wire.ts'
import { upstreamUnavailable } from '../domain/upstream-errors.ts'
import type { JobRuns } from '../jobs/job-runs.ts'
import { ReplicationJob } from '../jobs/replication.ts'
import { ReplicationJobs } from '../jobs/replication-jobs.ts'
import { LocalReplication } from '../services/local-replication.ts'
import { type ReplicationSiteClient, SiteReplication } from '../services/site-replication.ts'
import type { Foundation } from './foundation.ts'
import type { Services } from './services.ts'

const ANSWER_MS = 60_000
const STALL_MS = 60_000
const RETRIES = { attempts: 3, waitMsMax: 5_000 }
/** A login lives for twelve hours. */
const LOGIN_MS = 6 * 3_600_000

/** What copies images, inside this installation and to other sites. Throws when the file of sites cannot be used. */
export function createReplicationJobs(
  foundation: Foundation,
  services: Services,
  holder: string,
  runs: JobRuns,
): ReplicationJobs {
  const { config, logger, clock, realClock: leaseClock, metadata, blobs } = foundation
  const { vaults, access, pushTargets, images, replicaDeletion } = services
  const { sitesFile, patienceMs, deletions } = config.replication
  const sites = sitesFile === undefined ? [] : parseReplicationSites(readFileSync(sitesFile, 'utf8'))
  const local = new LocalReplication(metadata, blobs, vaults, access, pushTargets, images, replicaDeletion, clock)
  const routes = new Map(
    sites.map((site) => [site, new SiteReplication(metadata, blobs, vaults, connections(foundation, site), clock)]),
  )
  const routeTo = (destination: Registry) => {
    const site = siteOf(sites, destination)
    return (site && routes.get(site)) ?? local
  }
  const isHere = (destination: Registry) => siteOf(sites, destination) === undefined
  const settings = { holder, patienceMs, deletions, leaseClock }
  return new ReplicationJobs(new ReplicationJob(metadata, routeTo, isHere, clock, logger, settings), logger, runs)
}

/** One client for each registry whose images go to the site. What talks to it is loaded when the first goes there. */
function connections({ realClock }: Foundation, site: ReplicationSite) {
  const clients = new Map<string, Promise<ReplicationSiteClient>>()
  const make = async (source: Registry, closing: AbortSignal): Promise<ReplicationSiteClient> => {
    const { RegistryClient } = await import('../clients/registry.ts')
    const { siteLogin } = await import('../clients/site-login.ts')
    const caCertificates = site.caFile === undefined ? undefined : await readFile(site.caFile, 'utf8')
    const settings = {
      // Where the operator's own sites are is the operator's word.
      ...{ allowsPrivateAddresses: true, allowsHttp: site.endpoint.protocol === 'http:', caCertificates },
      ...{ answerMs: ANSWER_MS, stallMs: STALL_MS, ...RETRIES, random: Math.random },
      pause: async (ms: number, signal: AbortSignal | undefined) => {
        await sleep(ms, undefined, signal === undefined ? {} : { signal })
      },
      headers: site.kind === 'ecru' ? { [REPLICATED_FROM]: printSource(source) } : {},
    }
    let login: { readonly value: Awaited<ReturnType<typeof siteLogin>>; readonly untilMs: number } | undefined
    const client = new RegistryClient(
      site.endpoint,
      async (isRefused) => {
        const nowMs = realClock.now().getTime()
        if (login === undefined || isRefused || login.untilMs <= nowMs) {
          // Read each time, so that a key can be rotated.
          const secretAccessKey = (await readFile(site.secretAccessKeyFile, 'utf8')).trim()
          const key = { accessKeyId: site.accessKeyId, secretAccessKey }
          login = { value: await siteLogin(site.api, site.region, key, settings, closing), untilMs: nowMs + LOGIN_MS }
        }
        return login.value
      },
      settings,
      realClock,
    )
    return {
      knowsReplication: site.kind === 'ecru',
      pushBlob: async (repository, digest, blob, notes, signal) => {
        await client.pushBlob(repository, digest, blob, undefined, signal, notes)
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
  return (source: Registry, closing: AbortSignal) => {
    const key = printSource(source)
    const client = clients.get(key) ?? make(source, closing)
    clients.set(key, client)
    client.catch(() => clients.delete(key))
    return client
  }
}
