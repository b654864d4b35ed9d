import type { IpRange } from '../domain/iam/address.ts'
import type { Region, RegistryId, RepositoryRef } from '../domain/names.ts'
import type { Quotas } from '../domain/quotas.ts'
import type { Rates } from '../domain/rates.ts'
import type { ReplicatedDeletions } from '../domain/replication/deletions.ts'
import type { MasterKeySource } from '../lib/master-key-source.ts'
import { awsRegistryHost, type TlsSettings, tlsOf } from './addresses.ts'
import { contradictions } from './contradictions.ts'
import { type Environment, type VariableName, variable, variableNames } from './env.ts'
import { type LimitSettings, publicQuotasOf, publicRatesOf, quotasOf, ratesOf } from './limits.ts'
import { masterKeySourcesOf } from './master-key-sources.ts'
import { nearest } from './nearest.ts'

export type Profile = 'dev' | 'server'
export type LogLevel = Environment['ECRU_LOG_LEVEL']
export type LogFormat = Environment['ECRU_LOG_FORMAT']

/** Everything that a process is told from outside, checked. */
export interface Config {
  readonly profile: Profile
  readonly host: string
  readonly port: number
  readonly tls: TlsSettings
  readonly storage: { readonly kind: 'memory' } | { readonly kind: 'directory'; readonly path: string }
  /** Template of the host in URIs, with `{account}` and `{region}`; see `registryHostFor`. */
  readonly registryHost: string | undefined
  /** The host of the public registries, with its port. */
  readonly publicHost: string
  readonly defaultRegistry: { readonly registryId: RegistryId; readonly region: Region }
  readonly createsRepositoryOnPush: boolean
  /** Copies of images to other registries. */
  readonly replication: {
    readonly sitesFile: string | undefined
    readonly patienceMs: number
    /** Wildcards; none: all tags. */
    readonly tags: readonly string[]
    readonly deletions: ReplicatedDeletions
  }
  readonly acceptsSparseImages: boolean
  readonly fidelity: 'oci' | 'aws'
  readonly quotas: Quotas
  readonly rates: Rates
  /** The same for public registries. */
  readonly publicQuotas: Quotas
  readonly publicRates: Rates
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined
  /** Where the key that seals all secrets comes from; `undefined`: beside the data. */
  readonly masterKey: MasterKeySource | undefined
  /** Whether AES256 repositories encrypt what they are given. */
  readonly isEncryptionOn: boolean
  readonly iam: Environment['ECRU_IAM']
  /** How OpenID Connect providers are asked for their keys. */
  readonly oidc: {
    readonly allowsPrivateAddresses: boolean
    readonly allowsHttp: boolean
    readonly caFile: string | undefined
  }
  readonly events: {
    readonly targetsFile: string | undefined
    readonly allowsPrivateAddresses: boolean
    readonly allowsHttp: boolean
    readonly tellsExtensions: boolean
    readonly retentionMs: number
    readonly countMax: number
  }
  /** How other registries are asked. */
  readonly upstreams: {
    readonly allowsPrivateAddresses: boolean
    readonly allowsHttp: boolean
    readonly caFile: string | undefined
    readonly endpoints: ReadonlyMap<string, URL>
  }
  /** What clients ask in place of other registries. */
  readonly mirrors: { readonly hubHosts: readonly string[]; readonly userName: string | undefined }
  readonly organizationId: string | undefined
  readonly trustedProxies: readonly IpRange[]
  readonly audit: { readonly isOn: boolean; readonly retentionMs: number; readonly totalBytesMax: number }
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  /** Zero: only on demand. */
  readonly gcIntervalMs: number
  readonly gcGraceMs: number
  /** Zero: only on demand. */
  readonly lifecycleIntervalMs: number
  readonly advisories: {
    readonly source: string | undefined
    readonly ecosystems: readonly string[] | undefined
    /** Zero: only on demand. */
    readonly intervalMs: number
    readonly ageMsMax: number
    readonly caFile: string | undefined
    /** Of the default registry: what is pushed there is imported. */
    readonly repository: RepositoryRef | undefined
  }
  readonly scanDurations: {
    /** Absent: for as long as the image is there. */
    readonly sincePushMs: number | undefined
    readonly sincePullMs: number
  }
  /** What scans. */
  readonly scanEngine:
    | { readonly kind: 'ecru' }
    | { readonly kind: 'trivy'; readonly program: string; readonly timeoutMs: number }
    | {
        readonly kind: 'adapter'
        readonly url: string
        readonly authorization: string | undefined
        readonly caFile: string | undefined
        readonly registryUrl: string
        readonly registryAuthorization: string | undefined
        readonly timeoutMs: number
      }
  readonly metrics: {
    /** Who scrapes shows it; absent: only operators may. */
    readonly token: string | undefined
    /** So many repositories have samples of their own. */
    readonly repositoriesMax: number
  }
  readonly traces: {
    /** Absent: nothing is traced. */
    readonly endpoint: string | undefined
    readonly headers: Readonly<Record<string, string>>
    readonly sampleRatio: number
  }
  readonly pricePerGbMonth: number
  readonly uploadExpiryMs: number
  /** How long an archived image takes to become active again. */
  readonly activationMs: number
  readonly idleTimeoutMs: number
  readonly shutdownTimeoutMs: number
}

/** The configuration cannot be used; one sentence per mistake. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'))
    this.mistakes = mistakes
  }
}

/** Texts by variable name: the process environment, or what the command line says instead. */
export type Texts = Readonly<Record<string, string | undefined>>

/**
 * Reads the configuration. Options of the command line (given under the names of the variables they stand for) win
 * over the environment; an empty text counts as unset. Throws `ConfigError` with every mistake at once.
 */
export function readConfig(
  environment: Texts,
  options: Texts = {},
): { readonly config: Config; readonly warnings: readonly string[] } {
  const mistakes: string[] = []
  const env = readVariables(environment, options, mistakes)
  if (env === undefined) throw new ConfigError(mistakes)
  const wasGiven = (name: VariableName) => Boolean(options[name] || environment[name])
  mistakes.push(...contradictions(env))
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  const warnings = unknownVariables(environment)
  if (env.ECRU_MEMORY && wasGiven('ECRU_DATA_DIR')) {
    warnings.push('Everything is kept in memory: the data directory that is also configured is not used.')
  }
  if (env.ECRU_AWS_HOSTS !== undefined && env.ECRU_PORT !== 443) {
    warnings.push(
      `Clients that take this server for AWS come to port 443, and it listens on ${env.ECRU_PORT}: see ECRU_PORT.`,
    )
  }
  if (env.ECRU_PROFILE === 'server' && env.ECRU_MEMORY) {
    warnings.push('The server profile keeps everything in memory: all images are lost when the process ends.')
  }
  return { config: toConfig(env), warnings }
}

function scanEngineOf(env: Environment): Config['scanEngine'] {
  const { ECRU_SCAN_ENGINE: kind, ECRU_SCAN_TIMEOUT: timeoutMs } = env
  if (kind === 'trivy') return { kind, program: env.ECRU_SCAN_TRIVY, timeoutMs }
  if (kind === 'ecru') return { kind }
  return {
    kind,
    url: env.ECRU_SCAN_ADAPTER_URL ?? '',
    authorization: env.ECRU_SCAN_ADAPTER_AUTHORIZATION,
    caFile: env.ECRU_SCAN_ADAPTER_CA,
    registryUrl: env.ECRU_SCAN_REGISTRY_URL ?? '',
    registryAuthorization: env.ECRU_SCAN_REGISTRY_AUTHORIZATION,
    timeoutMs,
  }
}

function readVariables(environment: Texts, options: Texts, mistakes: string[]): Environment | undefined {
  const values: Partial<Record<VariableName, unknown>> = {}
  for (const name of variableNames) {
    const { schema, flag, isSecret, default: fallback } = variable(name)
    const given = options[name] || environment[name] || fallback
    if (given === undefined) continue
    const value = schema.read(given)
    if (value !== undefined) {
      values[name] = value
      continue
    }
    const called = options[name] && flag !== undefined ? flag.split(' ')[0] : name
    const shown = isSecret ? '' : `, not '${given.slice(0, 80)}'`
    mistakes.push(`${called} ${schema.mistake}${shown}.`)
  }
  return mistakes.length === 0 ? (values as Environment) : undefined
}

function unknownVariables(environment: Texts): string[] {
  const known: readonly string[] = variableNames
  return Object.keys(environment)
    .filter((name) => name.startsWith('ECRU_') && !known.includes(name))
    .map((name) => `${name} is not a variable of Ecru; the nearest is ${nearest(name, known)}.`)
}

const NO_LIMITS_SAID: LimitSettings = { values: {} }

function toConfig(env: Environment): Config {
  const { ECRU_ROOT_ACCESS_KEY_ID: accessKeyId, ECRU_ROOT_SECRET_ACCESS_KEY: secretAccessKey } = env
  const defaultRegistry = { registryId: env.ECRU_DEFAULT_ACCOUNT, region: env.ECRU_DEFAULT_REGION }
  return {
    profile: env.ECRU_PROFILE,
    host: env.ECRU_HOST,
    port: env.ECRU_PORT,
    tls: tlsOf(env),
    storage: env.ECRU_MEMORY ? { kind: 'memory' } : { kind: 'directory', path: env.ECRU_DATA_DIR },
    registryHost: env.ECRU_REGISTRY_HOST ?? (env.ECRU_AWS_HOSTS === undefined ? undefined : awsRegistryHost(env)),
    publicHost: env.ECRU_PUBLIC_HOST.toLowerCase(),
    defaultRegistry,
    createsRepositoryOnPush: env.ECRU_AUTO_CREATE,
    replication: {
      sitesFile: env.ECRU_REPLICATION_SITES,
      patienceMs: env.ECRU_REPLICATION_PATIENCE,
      tags: env.ECRU_REPLICATION_TAGS ?? [],
      deletions: env.ECRU_REPLICATION_DELETES,
    },
    acceptsSparseImages: env.ECRU_SPARSE_IMAGES,
    fidelity: env.ECRU_FIDELITY,
    quotas: quotasOf(env.ECRU_QUOTAS ?? NO_LIMITS_SAID, env.ECRU_FIDELITY),
    rates: ratesOf(env.ECRU_RATES ?? NO_LIMITS_SAID, env.ECRU_FIDELITY),
    publicQuotas: publicQuotasOf(env.ECRU_QUOTAS ?? NO_LIMITS_SAID, env.ECRU_FIDELITY),
    publicRates: publicRatesOf(env.ECRU_RATES ?? NO_LIMITS_SAID, env.ECRU_FIDELITY),
    rootKey: accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : undefined,
    masterKey: masterKeySourcesOf(env)[0],
    isEncryptionOn: env.ECRU_ENCRYPTION === 'on',
    iam: env.ECRU_IAM,
    oidc: {
      allowsPrivateAddresses: env.ECRU_OIDC_ALLOW_PRIVATE,
      allowsHttp: env.ECRU_OIDC_ALLOW_HTTP,
      caFile: env.ECRU_CA_FILE,
    },
    events: {
      targetsFile: env.ECRU_EVENTS_TARGETS,
      allowsPrivateAddresses: env.ECRU_EVENTS_ALLOW_PRIVATE,
      allowsHttp: env.ECRU_EVENTS_ALLOW_HTTP,
      tellsExtensions: env.ECRU_EVENTS_EXTENSIONS && env.ECRU_FIDELITY === 'oci',
      retentionMs: env.ECRU_EVENTS_RETENTION,
      countMax: env.ECRU_EVENTS_MAX,
    },
    upstreams: {
      allowsPrivateAddresses: env.ECRU_UPSTREAM_ALLOW_PRIVATE,
      allowsHttp: env.ECRU_UPSTREAM_ALLOW_HTTP,
      caFile: env.ECRU_CA_FILE,
      endpoints: env.ECRU_UPSTREAM_ENDPOINTS ?? new Map(),
    },
    mirrors: { hubHosts: env.ECRU_MIRROR_HOSTS ?? [], userName: env.ECRU_MIRROR_USER },
    organizationId: env.ECRU_ORGANIZATION_ID,
    trustedProxies: env.ECRU_TRUSTED_PROXIES ?? [],
    audit: {
      isOn: env.ECRU_AUDIT,
      retentionMs: env.ECRU_AUDIT_RETENTION,
      totalBytesMax: env.ECRU_AUDIT_MAX_SIZE * 1024 * 1024,
    },
    logLevel: env.ECRU_LOG_LEVEL,
    logFormat: env.ECRU_LOG_FORMAT,
    gcIntervalMs: env.ECRU_GC_INTERVAL,
    gcGraceMs: env.ECRU_GC_GRACE,
    lifecycleIntervalMs: env.ECRU_LIFECYCLE_INTERVAL,
    advisories: {
      source: env.ECRU_ADVISORIES_SOURCE,
      ecosystems: env.ECRU_ADVISORIES_ECOSYSTEMS,
      intervalMs: env.ECRU_ADVISORIES_INTERVAL,
      ageMsMax: env.ECRU_ADVISORIES_MAX_AGE,
      caFile: env.ECRU_ADVISORIES_CA,
      repository: env.ECRU_ADVISORIES_REPOSITORY && { registry: defaultRegistry, name: env.ECRU_ADVISORIES_REPOSITORY },
    },
    scanDurations: {
      sincePushMs: env.ECRU_SCAN_DURATION === 0 ? undefined : env.ECRU_SCAN_DURATION,
      sincePullMs: env.ECRU_SCAN_PULL_DURATION,
    },
    scanEngine: scanEngineOf(env),
    metrics: { token: env.ECRU_METRICS_TOKEN, repositoriesMax: env.ECRU_METRICS_REPOSITORIES },
    traces: {
      endpoint: env.ECRU_OTLP_ENDPOINT,
      headers: env.ECRU_OTLP_HEADERS ?? {},
      sampleRatio: env.ECRU_OTLP_SAMPLE,
    },
    pricePerGbMonth: env.ECRU_PRICE_PER_GB_MONTH,
    uploadExpiryMs: env.ECRU_UPLOAD_EXPIRY,
    activationMs: env.ECRU_ACTIVATION_TIME,
    idleTimeoutMs: env.ECRU_IDLE_TIMEOUT,
    shutdownTimeoutMs: env.ECRU_SHUTDOWN_TIMEOUT,
  }
}
