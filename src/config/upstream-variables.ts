import { list, matching, readAs, yesOrNo } from './schema.ts'

/** The variables of upstream registries, as a part of all. */
export const UPSTREAM_VARIABLES = {
  ECRU_UPSTREAM_ALLOW_PRIVATE: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--upstream-allow-private',
    doc: 'Ask other registries (pull-through caches) on private, loopback and link-local addresses too: for registries in the own network. Whoever may make rules then has the registry ask there.',
  },
  ECRU_UPSTREAM_ALLOW_HTTP: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--upstream-allow-http',
    doc: 'Ask other registries without TLS too, where a rule says `http://`.',
  },
  ECRU_MIRROR_HOSTS: {
    schema: list(
      /^[0-9A-Za-z.-]{1,253}(:[0-9]{1,5})?$/,
      'must be host names, with their ports unless those are 443 or 80, with commas between',
    ),
    flag: '--mirror-hosts <list>',
    doc: 'Hosts under which this registry is a mirror of Docker Hub for clients that do not say what they mean (`registry-mirrors` of docker), with their ports; there must be a pull-through cache rule for it.',
  },
  ECRU_MIRROR_USER: {
    schema: matching(/^[\w+=,.@-]{1,64}$/, 'must be the name of an IAM user'),
    flag: '--mirror-user <name>',
    doc: 'The IAM user of the default account in whose name those may pull from mirrors who bring no credentials. Unset: nobody may.',
  },
  ECRU_UPSTREAM_ENDPOINTS: {
    schema: readAs(
      parseEndpoints,
      'must be hosts with the addresses to ask instead, such as registry-1.docker.io=https://mirror.example.com',
    ),
    flag: '--upstream-endpoints <list>',
    doc: 'Where hosts of upstream registries are asked instead, as `host=address` with commas between: for mirrors in closed networks.',
  },
} as const

function parseEndpoints(given: string): ReadonlyMap<string, URL> | undefined {
  const pairs = given.split(',').map((pair) => /^\s*([a-z0-9.:-]+)=(https?:\/\/[^/\s]+)\/?\s*$/.exec(pair))
  const endpoints = new Map<string, URL>()
  for (const [, host, address] of pairs.map((match) => match ?? [])) {
    if (host === undefined || address === undefined || !URL.canParse(address)) return undefined
    endpoints.set(host, new URL(address))
  }
  return endpoints
}
