import { isRepositoryName, type Registry, type RepositoryName } from './names.ts'

/** What ECR calls the registries that it caches; `undefined` in a rule: any other, by its address. */
export type UpstreamKind =
  | 'ecr'
  | 'ecr-public'
  | 'quay'
  | 'k8s'
  | 'docker-hub'
  | 'github-container-registry'
  | 'azure-container-registry'
  | 'gitlab-container-registry'
  | 'chainguard'

/** That repositories under a prefix are a cache of another registry's. */
export interface PullThroughRule {
  readonly registry: Registry
  /** As it was given: with or without a slash at its end, or `ROOT`. */
  readonly prefix: string
  /** As it was given: a host, or (beyond ECR) an address with `https://` or `http://`. */
  readonly upstreamUrl: string
  readonly upstreamKind?: UpstreamKind | undefined
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
  /** As it was given; absent: `ROOT`, which nobody asked for. */
  readonly upstreamPrefix?: string | undefined
  readonly createdAt: Date
  readonly updatedAt: Date
}

export const ROOT = 'ROOT'

const HOSTS: ReadonlyMap<string, UpstreamKind> = new Map([
  ['public.ecr.aws', 'ecr-public'],
  ['registry.k8s.io', 'k8s'],
  ['quay.io', 'quay'],
  ['registry-1.docker.io', 'docker-hub'],
  ['ghcr.io', 'github-container-registry'],
  ['registry.gitlab.com', 'gitlab-container-registry'],
  ['cgr.dev', 'chainguard'],
])
const AZURE = /^[a-z0-9]{1,50}\.azurecr\.io$/
const ECR = /^([0-9]{12})\.dkr\.ecr\.([0-9a-z-]{2,25})\.amazonaws\.com(?:\.cn)?$/
const HOST = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?$/

/** Those that ECR lets nobody use without credentials. */
const WITH_CREDENTIALS: ReadonlySet<UpstreamKind> = new Set([
  'docker-hub',
  'github-container-registry',
  'gitlab-container-registry',
  'azure-container-registry',
  'chainguard',
])

/** Whether ECR asks for a secret with credentials in a rule for such an upstream. */
export function needsCredentials(kind: UpstreamKind): boolean {
  return WITH_CREDENTIALS.has(kind)
}

/** Which of ECR's upstreams a text names; with `https://` before it, it is an address like any other. */
export function upstreamKindOf(text: string): UpstreamKind | undefined {
  if (AZURE.test(text)) return 'azure-container-registry'
  return ECR.test(text) ? 'ecr' : HOSTS.get(text)
}

/** Account and region of a private ECR. */
export function ecrPlaceOf(text: string): { readonly accountId: string; readonly region: string } | undefined {
  const [, accountId, region] = ECR.exec(text) ?? []
  return accountId === undefined || region === undefined ? undefined : { accountId, region }
}

/** Scheme, host and port of an upstream; `undefined` when the text is none. */
export function upstreamAddress(text: string): URL | undefined {
  if (HOST.test(text)) return parsedAddress(`https://${text}`)
  const [, scheme, host = ''] = /^(https?):\/\/([^/]+)\/?$/.exec(text) ?? []
  if (scheme === undefined || !(HOST.test(host) || /^\[[0-9a-f:.]+\](?::[0-9]{1,5})?$/.test(host))) return undefined
  return parsedAddress(`${scheme}://${host}`)
}

/** What looks like a host need not be one: a port above 65535, a number that is no IPv4 address. */
function parsedAddress(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

/** What makes prefixes the same: a slash is assumed behind each. */
export function prefixKey(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
}

/** The keys of the prefixes that a name may lie under, the most specific first. */
export function prefixKeysOf(name: RepositoryName): readonly string[] {
  const components = name.split('/')
  const keys = components.map((_, index) => components.slice(0, components.length - 1 - index).join('/'))
  return [...keys.slice(0, -1), ROOT]
}

/** The rule for a name among some; the most specific prefix wins. */
export function ruleFor(rules: readonly PullThroughRule[], name: RepositoryName): PullThroughRule | undefined {
  const byKey = new Map(rules.map((rule) => [prefixKey(rule.prefix), rule]))
  for (const key of prefixKeysOf(name)) {
    const rule = byKey.get(key)
    if (rule !== undefined) return rule
  }
  return undefined
}

/** What the upstream calls the repository that caches it under this name. */
export function upstreamName({ prefix, upstreamPrefix = ROOT }: PullThroughRule, name: RepositoryName): string {
  const rest = prefix === ROOT ? name : name.slice(prefixKey(prefix).length + 1)
  return upstreamPrefix === ROOT ? rest : `${prefixKey(upstreamPrefix)}/${rest}`
}

/** The name under which a repository of the upstream is cached; `undefined` when the rule is not for it. */
export function cacheName(
  { prefix, upstreamPrefix = ROOT }: PullThroughRule,
  name: string,
): RepositoryName | undefined {
  const before = upstreamPrefix === ROOT ? '' : `${prefixKey(upstreamPrefix)}/`
  if (!name.startsWith(before)) return undefined
  const rest = name.slice(before.length)
  const cached = prefix === ROOT ? rest : `${prefixKey(prefix)}/${rest}`
  return isRepositoryName(cached) ? cached : undefined
}

/** The credentials that a secret holds: `{"username": …, "accessToken": …}`; `undefined` when it has another form. */
export function readUpstreamSecret(text: string): { readonly username: string; readonly password: string } | undefined {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof document !== 'object' || document === null) return undefined
  const { username, accessToken } = document as Readonly<Record<string, unknown>>
  if (typeof username !== 'string' || typeof accessToken !== 'string') return undefined
  // A colon would end the name; control characters have no place in a header.
  const isFit =
    username !== '' && accessToken !== '' && !username.includes(':') && !/\p{Cc}/u.test(username + accessToken)
  return isFit ? { username, password: accessToken } : undefined
}
