import { readFileSync } from 'node:fs'
import type { RegistryClientSettings } from '../clients/registry.ts'
import { registryHostFor } from '../config/addresses.ts'
import type { Config } from '../config/config.ts'
import type { AuditTrail } from '../domain/audit/api-call.ts'
import type { Quotas } from '../domain/quotas.ts'
import type { Clock } from '../lib/clock.ts'
import type { Access } from '../services/access/access.ts'
import type { Vaults } from '../services/encryption/vaults.ts'
import type { Images } from '../services/images/images.ts'
import { BlobFlights } from '../services/pull-through/blob-flights.ts'
import { ImageImports } from '../services/pull-through/image-imports.ts'
import { type MirrorSettings, Mirrors } from '../services/pull-through/mirrors.ts'
import { PullThrough } from '../services/pull-through/pull-through.ts'
import { PullThroughCounts } from '../services/pull-through/pull-through-counts.ts'
import { PullThroughRules } from '../services/pull-through/pull-through-rules.ts'
import { type UpstreamConnections, Upstreams } from '../services/pull-through/upstreams.ts'
import type { PushTargets } from '../services/repositories/push-targets.ts'
import type { SecretValues } from '../services/secrets/secret-values.ts'
import type { BlobStore } from '../stores/blobs.ts'
import type { MetadataStore } from '../stores/metadata.ts'

/** What the pull-through cache stands on. */
export interface PullThroughParts {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly vaults: Vaults
  readonly access: Access
  readonly images: Images
  readonly pushTargets: PushTargets
  readonly secretValues: SecretValues
  readonly clock: Clock
  readonly audit: AuditTrail
  readonly quotas: Quotas
  readonly connections: UpstreamConnections
  /** Whether any registry may be an upstream, and not only those that ECR knows. */
  readonly acceptsAnyUpstream: boolean
  readonly mirrors: MirrorSettings
  report(error: unknown): void
}

/** Puts the pull-through cache together. */
export function createPullThrough(parts: PullThroughParts) {
  const { metadata, blobs, vaults, access, images, pushTargets, secretValues, clock, quotas, connections } = parts
  const pullThroughCounts = new PullThroughCounts()
  const upstreams = new Upstreams(secretValues, connections, clock, pullThroughCounts)
  const pullThroughRules = new PullThroughRules(metadata, access, upstreams, clock, parts.acceptsAnyUpstream)
  const flights = new BlobFlights({ metadata, blobs, vaults, upstreams, clock, counts: pullThroughCounts }, quotas)
  const imports = new ImageImports({
    metadata,
    images,
    upstreams,
    flights,
    clock,
    audit: parts.audit,
    report: parts.report,
  })
  const pullThrough = new PullThrough({
    metadata,
    access,
    rules: pullThroughRules,
    upstreams,
    imports,
    flights,
    targets: pushTargets,
    clock,
    counts: pullThroughCounts,
  })
  const mirrors = new Mirrors(metadata, pullThroughRules, clock, parts.mirrors)
  return { pullThrough, pullThroughRules, pullThroughCounts, mirrors }
}

/** What an operator says of mirrors, and by which names the registry itself goes. */
export function mirrorSettings({ mirrors, defaultRegistry, registryHost, tls }: Config): MirrorSettings {
  const named = new Set(tls?.kind === 'own-authority' ? tls.hosts : [])
  const own = registryHost === undefined ? undefined : hostPattern(registryHost)
  return {
    hubHosts: new Set(mirrors.hubHosts.map((host) => host.toLowerCase())),
    userName: mirrors.userName,
    defaultRegistry,
    isOwnHost: (host) => {
      const lower = host.toLowerCase()
      return named.has(lower.replace(/:[0-9]+$/, '')) || own?.test(lower) === true
    },
  }
}

/** All hosts that a template of them makes. */
function hostPattern(template: string): RegExp {
  const escaped = template.toLowerCase().replaceAll(/[.[\]]/g, '\\$&')
  return new RegExp(`^${registryHostFor(escaped, '[0-9]{12}', '[0-9a-z-]+')}$`)
}

/** What an operator says of upstreams. */
export interface UpstreamSettings {
  readonly allowsPrivateAddresses: boolean
  readonly allowsHttp: boolean
  readonly caFile: string | undefined
  /** Where hosts are asked instead: by host. */
  readonly endpoints: ReadonlyMap<string, URL>
}

const ANSWER_MS = 30_000
const STALL_MS = 60_000
const ATTEMPTS = 3
const WAIT_MS_MAX = 5_000

/** How upstreams are asked; what that takes is loaded with the first question. */
export function upstreamConnections(settings: UpstreamSettings, clock: Clock): UpstreamConnections {
  const { endpoints } = settings
  const addressOf = (address: URL) => endpoints.get(address.host) ?? address
  return {
    async connect(address, login) {
      const [{ RegistryClient }, { pause }] = await Promise.all([
        import('../clients/registry.ts'),
        import('../clients/retry.ts'),
      ])
      return new RegistryClient(addressOf(address), login, { ...clientSettings(settings), pause }, clock)
    },
    async ecrLogin(place, roleArn) {
      const { ecrLogin } = await import('../clients/ecr-login.ts')
      const endpoint = (host: string) => addressOf(new URL(`https://${host}`))
      return ecrLogin(place, roleArn, endpoint, clientSettings(settings))
    },
  }
}

function clientSettings(settings: UpstreamSettings): Omit<RegistryClientSettings, 'pause'> {
  const { allowsPrivateAddresses, allowsHttp, caFile } = settings
  return {
    allowsPrivateAddresses,
    allowsHttp,
    caCertificates: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
    answerMs: ANSWER_MS,
    stallMs: STALL_MS,
    attempts: ATTEMPTS,
    waitMsMax: WAIT_MS_MAX,
    random: Math.random,
  }
}
