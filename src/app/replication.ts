import { readFileSync } from 'node:fs'
import { parseReplicationSites, siteOf } from '../config/replication-sites.ts'
import type { Registry } from '../domain/names.ts'
import type { JobRuns } from '../jobs/job-runs.ts'
import { ReplicationJob } from '../jobs/replication.ts'
import { ReplicationJobs } from '../jobs/replication-jobs.ts'
import { LocalReplication } from '../services/replication/local-replication.ts'
import { SiteReplication } from '../services/replication/site-replication.ts'
import type { Foundation } from './foundation.ts'
import type { Services } from './services.ts'
import { siteConnections } from './site-connections.ts'

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
  const local = new LocalReplication({
    metadata,
    blobs,
    vaults,
    access,
    pushTargets,
    images,
    replicas: replicaDeletion,
    clock,
  })
  const routes = new Map(
    sites.map((site) => [site, new SiteReplication(metadata, blobs, vaults, siteConnections(foundation, site), clock)]),
  )
  const routeTo = (destination: Registry) => {
    const site = siteOf(sites, destination)
    return (site && routes.get(site)) ?? local
  }
  const isHere = (destination: Registry) => siteOf(sites, destination) === undefined
  const settings = { holder, patienceMs, deletions, leaseClock }
  return new ReplicationJobs(new ReplicationJob({ metadata, routeTo, isHere, clock, logger }, settings), logger, runs)
}
