import type { Advisory, AdvisoryFacts, AffectedPackage } from '../../domain/advisories/advisory.ts'
import { isDistribution } from '../../domain/advisories/ecosystems.ts'

/** What is kept of an affected package beside its ecosystem and name, which are the key. */
type Entry = Omit<AffectedPackage, 'ecosystem' | 'name'>

/** The affected packages of a record by key, as they are kept; none of a withdrawn record. */
export function entriesByPackage({ affected, withdrawnAt }: Advisory): ReadonlyMap<string, string> {
  if (withdrawnAt !== undefined) return new Map()
  const entries = new Map<string, Entry[]>()
  for (const { ecosystem, name, ...entry } of affected) {
    const key = packageKey(ecosystem, name)
    const known = entries.get(key)
    if (known === undefined) entries.set(key, [entry])
    else known.push(entry)
  }
  return new Map([...entries].map(([key, list]) => [key, JSON.stringify(list)]))
}

export function parseEntries(ecosystem: string, name: string, entries: string): readonly AffectedPackage[] {
  return (JSON.parse(entries) as readonly Entry[]).map((entry) => ({ ecosystem, name, ...entry }))
}

const SEPARATOR = '\u0000'

/** A package in one text: a separator that no name holds is between ecosystem and name. */
export function packageKey(ecosystem: string, name: string): string {
  return `${ecosystem}${SEPARATOR}${name}`
}

export function packageOfKey(key: string): readonly [ecosystem: string, name: string] {
  const at = key.indexOf(SEPARATOR)
  return [key.slice(0, at), key.slice(at + 1)]
}

/** By these ids a flaw is known; whether the record is about this flaw alone, so that its vectors are the flaw's. */
export function flawNamesOf(advisory: Advisory): ReadonlyMap<string, boolean> {
  const names = new Map([advisory.id, ...advisory.aliases].map((id) => [id, true]))
  const isOfDistribution = advisory.affected.some(({ ecosystem }) => isDistribution(ecosystem))
  const stated = advisory.upstream.length > 0 ? advisory.upstream : isOfDistribution ? advisory.related : []
  for (const id of stated) if (!names.has(id)) names.set(id, stated.length === 1)
  return names
}

/** What findings say of a flaw wherever it is: when it changes, all packages of the record are concerned. */
export function factsHash({ severity, aliases, upstream, related, withdrawnAt, references }: Advisory): string {
  const evidence = references.flatMap(({ type, url }) => (type === 'EVIDENCE' ? [url] : []))
  const facts = [severity, aliases, upstream, related, withdrawnAt !== undefined]
  return Bun.hash(JSON.stringify(evidence.length === 0 ? facts : [...facts, evidence])).toString(36)
}

/** What is kept of a record beside the packages that it affects, which have rows of their own. */
export function packFacts({ affected: _affected, ...facts }: Advisory): Uint8Array {
  return Bun.zstdCompressSync(Buffer.from(JSON.stringify(facts)), { level: 1 })
}

export function unpackFacts(body: Uint8Array<ArrayBuffer>): AdvisoryFacts {
  return JSON.parse(Bun.zstdDecompressSync(body).toString('utf8'), (key, value: unknown) =>
    key.endsWith('At') && typeof value === 'string' ? new Date(value) : value,
  ) as AdvisoryFacts
}
