import { isRegion, isRegistryId, type Region, type RegistryId } from '../domain/names.ts'

/** Registries of another installation, or of AWS, to which images are replicated over the network. */
export interface ReplicationSite {
  readonly region: Region
  /** Absent: every account in that region. */
  readonly registryId: RegistryId | undefined
  /** Another Ecru, or private ECR itself. */
  readonly kind: 'ecru' | 'ecr'
  /** Where `/v2/` is; for an Ecru, its API as well. */
  readonly endpoint: URL
  /** Where ECR's API is. */
  readonly api: URL
  readonly accessKeyId: string
  readonly secretAccessKeyFile: string
  /** Certificates (PEM) that are trusted beside the usual ones. */
  readonly caFile: string | undefined
}

const MEMBERS = ['region', 'registryId', 'kind', 'endpoint', 'accessKeyId', 'secretAccessKeyFile', 'caFile']

/** Reads the file of sites, a JSON list. Throws an error that says, in one sentence, what is wrong with it. */
export function parseReplicationSites(text: string): readonly ReplicationSite[] {
  let sites: unknown
  try {
    sites = JSON.parse(text)
  } catch (cause) {
    throw new Error('The file of replication sites is not JSON.', { cause })
  }
  if (!Array.isArray(sites)) throw new Error('The file of replication sites must hold a list.')
  const parsed = (sites as readonly unknown[]).map(parseSite)
  const places = parsed.map(({ registryId = '*', region }) => `${registryId}/${region}`)
  const twice = places.find((place, index) => places.indexOf(place) !== index)
  if (twice !== undefined) throw new Error(`There are two replication sites for ${twice}.`)
  return parsed
}

/** The site that keeps a registry, if it is not this installation: one for the account before one for the region. */
export function siteOf(
  sites: readonly ReplicationSite[],
  { registryId, region }: { readonly registryId: RegistryId; readonly region: Region },
): ReplicationSite | undefined {
  const there = sites.filter((site) => site.region === region)
  return there.find((site) => site.registryId === registryId) ?? there.find((site) => site.registryId === undefined)
}

function parseSite(value: unknown, index: number): ReplicationSite {
  const wrong = (sentence: string) => new Error(`Replication site ${index + 1} ${sentence}.`)
  if (typeof value !== 'object' || value === null) throw wrong('is no object')
  const site = value as Readonly<Record<string, unknown>>
  const unknown = Object.keys(site).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) throw wrong(`has a member "${unknown}" that there is not`)
  const { region, registryId, kind = 'ecru', accessKeyId, secretAccessKeyFile, caFile } = site
  if (typeof region !== 'string' || !isRegion(region)) throw wrong('must have a region')
  if (registryId !== undefined && (typeof registryId !== 'string' || !isRegistryId(registryId)))
    throw wrong('must have twelve digits as registryId, or none for every account')
  if (kind !== 'ecru' && kind !== 'ecr') throw wrong('must be of kind "ecru" or "ecr"')
  if (typeof accessKeyId !== 'string' || accessKeyId === '') throw wrong('must have an accessKeyId')
  if (typeof secretAccessKeyFile !== 'string' || secretAccessKeyFile === '')
    throw wrong('must have a secretAccessKeyFile: secrets have a file of their own')
  if (caFile !== undefined && typeof caFile !== 'string') throw wrong('must have the name of a file as caFile')
  const named = site.endpoint ?? (kind === 'ecr' && registryId ? `https://${ecrHost(registryId, region)}` : undefined)
  if (typeof named !== 'string' || !isEndpoint(named))
    throw wrong('must have an endpoint such as https://registry.example.com')
  const endpoint = new URL(named)
  const api = kind === 'ecr' ? new URL(`https://api.ecr.${region}.${suffixOf(region)}`) : endpoint
  return { region, registryId, kind, endpoint, api, accessKeyId, secretAccessKeyFile, caFile }
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, pathname, search } = new URL(text)
  return (protocol === 'https:' || protocol === 'http:') && username === '' && pathname === '/' && search === ''
}

function ecrHost(registryId: string, region: string): string {
  return `${registryId}.dkr.ecr.${region}.${suffixOf(region)}`
}

function suffixOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}
