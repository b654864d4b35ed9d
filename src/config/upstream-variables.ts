import { readAs, yesOrNo } from './schema.ts'

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
