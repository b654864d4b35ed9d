import { type IpRange, parseIpRange } from '../domain/iam/address.ts'
import { isRegion, isRegistryId } from '../domain/names.ts'
import { MASTER_KEY_FORM, parseMasterKeys } from '../lib/master-key-source.ts'
import { EVENT_VARIABLES } from './event-variables.ts'
import { EXPOSURE_VARIABLES } from './exposure-variables.ts'
import { parseLimits, QUOTA_NAMES, RATE_NAMES } from './limits.ts'
import { METRIC_VARIABLES } from './metric-variables.ts'
import { REPLICATION_VARIABLES } from './replication-variables.ts'
import { SCAN_VARIABLES } from './scan-variables.ts'
import {
  duration,
  MINUTE_MS,
  matching,
  oneOf,
  readAs,
  type Schema,
  SECOND_MS,
  text,
  wholeNumber,
  YEAR_MS,
  yesOrNo,
} from './schema.ts'
import { UPSTREAM_VARIABLES } from './upstream-variables.ts'

/** One variable: how its text is read, what it means when unset, and what operators read about it. */
export interface Variable {
  readonly schema: Schema<unknown>
  /** The text that counts when the variable is unset or empty. */
  readonly default?: string
  /** The option of `ecru serve` that does the same, as commander writes it. */
  readonly flag?: string
  /** One line for the documentation, in whole sentences. */
  readonly doc: string
  /** Its value is never printed. */
  readonly isSecret?: boolean
}

function parseProxies(given: string): readonly IpRange[] | undefined {
  const ranges = given.split(',').map((text) => parseIpRange(text.trim()))
  return ranges.every((range) => range !== undefined) ? ranges : undefined
}

/** Every variable that the process reads, and nothing else is read. `docs/operations.md` shows the same table. */
export const VARIABLES = {
  ECRU_PROFILE: {
    schema: oneOf('dev', 'server'),
    default: 'dev',
    flag: '--profile <name>',
    doc: '`dev` takes any access key as an administrator and stays on this machine; `server` verifies every signature.',
  },
  ECRU_HOST: {
    schema: matching(/^[0-9A-Za-z.:_-]{1,253}$/, 'must be a host name or an address, without a port'),
    default: '127.0.0.1',
    flag: '--host <address>',
    doc: 'The address to listen on.',
  },
  ECRU_PORT: {
    schema: wholeNumber(0, 65_535),
    default: '4566',
    flag: '--port <number>',
    doc: 'The port to listen on; 0 takes any free one.',
  },
  ECRU_DATA_DIR: {
    schema: text(),
    default: './.ecru',
    flag: '--data-dir <path>',
    doc: 'The directory that holds everything. It is made when absent.',
  },
  ECRU_MEMORY: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--memory',
    doc: 'Keep everything in memory and forget it at the end; the data directory is not touched.',
  },
  ECRU_REGISTRY_HOST: {
    schema: text(),
    flag: '--registry-host <template>',
    doc: 'The host in repository URIs and login endpoints, with `{account}` and `{region}` filled in. Unset: the host by which the caller came.',
  },
  ECRU_PUBLIC_HOST: {
    schema: matching(
      /^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?(:[0-9]{1,5})?$/,
      'must be a host name, with a port if need be and without a scheme',
    ),
    default: 'public.ecr.aws',
    flag: '--public-host <host>',
    doc: 'The host of the public registries, as image names have it; without DNS for instance `localhost:4566`, while the private ones are reached by `127.0.0.1:4566`.',
  },
  ECRU_DEFAULT_ACCOUNT: {
    schema: readAs((given) => (isRegistryId(given) ? given : undefined), 'must be an account id of 12 digits'),
    default: '000000000000',
    flag: '--default-account <id>',
    doc: 'The account that is meant when neither host name nor credentials say one.',
  },
  ECRU_DEFAULT_REGION: {
    schema: readAs((given) => (isRegion(given) ? given : undefined), 'must be the name of a region, such as eu-west-3'),
    default: 'us-east-1',
    flag: '--default-region <name>',
    doc: 'The region that is meant when neither host name nor credentials say one. AWS_REGION is not consulted.',
  },
  ...EXPOSURE_VARIABLES,
  ...REPLICATION_VARIABLES,
  ECRU_AUTO_CREATE: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--auto-create',
    doc: 'Create a missing repository on the first push to it.',
  },
  ECRU_FIDELITY: {
    schema: oneOf('oci', 'aws'),
    default: 'oci',
    flag: '--fidelity <mode>',
    doc: "`oci` follows the OCI specification where ECR's clients cannot tell the difference; `aws` also repeats ECR's deviations from it.",
  },
  ECRU_QUOTAS: {
    schema: readAs(
      (given) => parseLimits(given, QUOTA_NAMES),
      `must be aws, off, or numbers such as imagesPerRepository=1000, with commas between; the names are ${QUOTA_NAMES.join(', ')}`,
    ),
    flag: '--quotas <limits>',
    doc: 'How much a registry holds: `aws`, `off`, or single numbers, such as `imagesPerRepository=1000,tagsPerImage=50`. Unset: `aws` with `ECRU_FIDELITY=aws`, otherwise `off`.',
  },
  ECRU_RATES: {
    schema: readAs(
      (given) => parseLimits(given, RATE_NAMES),
      'must be aws, off, or calls per second such as PutImage=50, with commas between; the names are those of ECR permissions',
    ),
    flag: '--rates <limits>',
    doc: 'How many calls an account may make each second, in each region: `aws`, `off`, or single rates, such as `aws,PutImage=50`. Unset: `aws` with `ECRU_FIDELITY=aws`, otherwise `off`.',
  },
  ECRU_SPARSE_IMAGES: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--sparse-images',
    doc: 'Accept manifests and indexes that name layers or images which are not in the repository (yet). ECR never does; such an image can be pulled in part only.',
  },
  ECRU_ROOT_ACCESS_KEY_ID: {
    schema: matching(/^[A-Z0-9]{16,128}$/, 'must be 16 to 128 capital letters and digits'),
    doc: 'Access key of the root user of the default account. Unset: the server profile makes one on first start and prints it once.',
  },
  ECRU_ROOT_SECRET_ACCESS_KEY: {
    schema: matching(/^[\x21-\x7e]{16,128}$/, 'must be 16 to 128 printable characters without spaces'),
    isSecret: true,
    doc: 'Secret that belongs to that access key.',
  },
  ECRU_MASTER_KEY_FILE: {
    schema: text(),
    flag: '--master-key-file <file>',
    doc: 'File with the master key, which seals all other secrets: 32 bytes in base64 or hexadecimal. Earlier keys may follow it; they open what they sealed. Unset, and none of the next two: `master.key` in the data directory, made when absent.',
  },
  ECRU_MASTER_KEY: {
    schema: readAs(
      (given) => (parseMasterKeys(given) === undefined ? undefined : given),
      `holds no master key: ${MASTER_KEY_FORM}`,
    ),
    isSecret: true,
    doc: 'The master key itself, for those who keep it elsewhere than in a file.',
  },
  ECRU_MASTER_KEY_COMMAND: {
    schema: text(),
    doc: 'A line for `sh` that prints the master key; it is run once, at the start, and has 30 seconds.',
  },
  ECRU_ENCRYPTION: {
    schema: oneOf('on', 'off'),
    default: 'off',
    flag: '--encryption <switch>',
    doc: 'Whether what is pushed to repositories with encryption AES256 is encrypted on disk, by a key that the master key protects. Repositories with a KMS key always are.',
  },
  ECRU_IAM: {
    schema: oneOf('off', 'soft', 'enforce'),
    default: 'enforce',
    flag: '--iam <mode>',
    doc: 'What policies do: `enforce` refuses what they do not allow; `soft` lets it through within an account and logs it; `off` asks nothing within an account. Accounts stay apart in every mode.',
  },
  ECRU_OIDC_ALLOW_PRIVATE: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--oidc-allow-private',
    doc: 'Ask OpenID Connect providers on private, loopback and link-local addresses too: for clusters and issuers in the own network. Metadata services are among them.',
  },
  ECRU_OIDC_ALLOW_HTTP: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--oidc-allow-http',
    doc: 'Ask OpenID Connect providers without TLS too. For tests: whoever stands between can make tokens.',
  },
  ...UPSTREAM_VARIABLES,
  ECRU_CA_FILE: {
    schema: text(),
    flag: '--ca-file <path>',
    doc: 'A file of certificates (PEM) that are trusted beside the usual ones when the registry asks OpenID Connect providers and other registries.',
  },
  ...EVENT_VARIABLES,
  ECRU_ORGANIZATION_ID: {
    schema: matching(/^o-[a-z0-9]{10,32}$/, 'must be the id of an organisation, such as o-a1b2c3d4e5'),
    flag: '--organization-id <id>',
    doc: 'The organisation that all accounts of this installation belong to, for the condition keys `aws:PrincipalOrgID` and `aws:ResourceOrgID`. Unset: what depends on them is refused.',
  },
  ECRU_TRUSTED_PROXIES: {
    schema: readAs(parseProxies, 'must be addresses or ranges such as 10.0.0.0/8, with commas between'),
    flag: '--trusted-proxies <ranges>',
    doc: 'The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, as addresses or ranges with commas between: for the condition keys `aws:SourceIp` and `aws:SecureTransport`. Unset: the client is whoever connects.',
  },
  ECRU_AUDIT: {
    schema: yesOrNo(),
    default: 'true',
    doc: 'Write down every call of the API and every push and pull, as CloudTrail does; LookupEvents and `ecru audit` show them.',
  },
  ECRU_AUDIT_RETENTION: {
    schema: duration(24 * 60 * MINUTE_MS, 100 * YEAR_MS),
    default: '90d',
    doc: 'How long audit records are kept.',
  },
  ECRU_AUDIT_MAX_SIZE: {
    schema: wholeNumber(256, 100_000_000),
    default: '10240',
    doc: 'How much room audit records may take, in MiB; the oldest go first.',
  },
  ECRU_LOG_LEVEL: {
    schema: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    flag: '--log-level <level>',
    doc: '`debug`, `info`, `warn`, `error` or `silent`. Requests are logged at `info`.',
  },
  ECRU_LOG_FORMAT: {
    schema: oneOf('json', 'pretty'),
    default: 'json',
    flag: '--log-format <format>',
    doc: '`json`, one object per line, or `pretty`, short lines for people.',
  },
  ECRU_GC_INTERVAL: {
    schema: duration(0, YEAR_MS),
    default: '1h',
    doc: 'How often garbage is collected; 0 leaves it to `ecru gc`.',
  },
  ECRU_GC_GRACE: {
    schema: duration(0, YEAR_MS),
    default: '24h',
    doc: 'How long content that no image uses is kept, so that a push in flight loses nothing. At least 1h in the server profile.',
  },
  ECRU_LIFECYCLE_INTERVAL: {
    schema: duration(0, YEAR_MS),
    default: '1h',
    doc: 'How often each lifecycle policy is executed; 0 leaves it to `ecru lifecycle run`.',
  },
  ...SCAN_VARIABLES,
  ...METRIC_VARIABLES,
  ECRU_UPLOAD_EXPIRY: {
    schema: duration(MINUTE_MS, YEAR_MS),
    default: '7d',
    doc: 'How long an unfinished upload may lie untouched. At least 24h in the server profile.',
  },
  ECRU_ACTIVATION_TIME: {
    schema: duration(0, 24 * 60 * MINUTE_MS),
    default: '5s',
    doc: 'How long it takes until an archived image that is being restored can be pulled again; 0 restores at once.',
  },
  ECRU_IDLE_TIMEOUT: {
    schema: duration(8 * SECOND_MS, 255 * SECOND_MS),
    default: '120s',
    doc: 'A connection on which the client neither sends nor takes bytes for so long is closed.',
  },
  ECRU_SHUTDOWN_TIMEOUT: {
    schema: duration(0, 24 * 60 * MINUTE_MS),
    default: '30s',
    doc: 'How long requests in flight may take to finish after SIGTERM.',
  },
} as const satisfies Record<string, Variable>

export type VariableName = keyof typeof VARIABLES

type ValueOf<Name extends VariableName> = NonNullable<ReturnType<(typeof VARIABLES)[Name]['schema']['read']>>

/** The values of all variables; those without a default may be absent. */
export type Environment = {
  readonly [Name in VariableName]: (typeof VARIABLES)[Name] extends { readonly default: string }
    ? ValueOf<Name>
    : ValueOf<Name> | undefined
}

export const variableNames = Object.keys(VARIABLES) as readonly VariableName[]

/** The same table, seen without the types of its single rows. */
export function variable(name: VariableName): Variable {
  return VARIABLES[name]
}
