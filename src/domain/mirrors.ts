import type { RepositoryName } from './names.ts'
import { cacheName, type PullThroughRule, prefixKey, ruleFor, upstreamAddress } from './pull-through.ts'

/** What image names call Docker Hub. */
export const DOCKER_HUB = 'docker.io'
const HUB_HOSTS: ReadonlySet<string> = new Set([DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'])

/** A registry as image names have it: those of Docker Hub are one. */
export function originalOf(host: string): string {
  const lower = host.toLowerCase()
  return HUB_HOSTS.has(lower) ? DOCKER_HUB : lower
}

/** The registry that a rule caches, as image names have it. */
export function originalOfRule({ upstreamUrl }: Pick<PullThroughRule, 'upstreamUrl'>): string | undefined {
  const address = upstreamAddress(upstreamUrl)
  return address === undefined ? undefined : originalOf(address.host)
}

/**
 * Under which name a registry caches a repository of another one; `undefined`: under none. Of several rules for it the one
 * with the longest prefix upstream counts; one whose name another rule would answer is none.
 */
export function mirroredName(
  rules: readonly PullThroughRule[],
  original: string,
  name: string,
): RepositoryName | undefined {
  const ofIt = rules.filter((rule) => originalOfRule(rule) === original)
  const candidates = ofIt.toSorted((one, other) => upstreamDepth(other) - upstreamDepth(one))
  for (const rule of candidates) {
    const cached = cacheName(rule, name)
    if (cached !== undefined && ruleFor(rules, cached) === rule) return cached
  }
  return undefined
}

function upstreamDepth({ upstreamPrefix = 'ROOT' }: PullThroughRule): number {
  return upstreamPrefix === 'ROOT' ? 0 : prefixKey(upstreamPrefix).length
}

/**
 * Whether a name of a registry is one that only this one can go by: an address, or a name without a domain, as
 * `localhost:5000` on a developer's machine. Public registries have neither.
 */
export function isLocalName(host: string): boolean {
  const name = host.replace(/:[0-9]+$/, '')
  return name.startsWith('[') || !name.includes('.') || /^[0-9]+(\.[0-9]+){3}$/.test(name)
}
