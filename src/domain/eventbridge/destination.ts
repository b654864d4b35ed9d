import { isRegion, isRegistryId, type Registry } from '../names.ts'
import { wildcard } from '../wildcard.ts'
import { isJsonObject, type Json, type JsonObject, memberOf, parseJson } from './json.ts'

/** Where events go to: what an operator has described, or a webhook that an account has named by its URL. */
export type Destination =
  | { readonly kind: 'webhook'; readonly url: string; readonly registry: Registry }
  | { readonly kind: 'http'; readonly url: string; readonly secretFile?: string | undefined }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdout' }
  | {
      readonly kind: 'sqs'
      /** Scheme and host of the endpoint. */
      readonly endpoint: string
      /** Made of the ARN when absent: `ENDPOINT/ACCOUNT/NAME`. */
      readonly queueUrl?: string | undefined
      readonly region?: string | undefined
      readonly accessKeyId?: string | undefined
      readonly secretKeyFile?: string | undefined
    }
  | {
      readonly kind: 'nats'
      /** `nats://host:port`, or `tls://host:port`. */
      readonly server: string
      readonly subject: string
      /** The stream of JetStream that must have stored an event before it counts as delivered. */
      readonly stream?: string | undefined
      readonly user?: string | undefined
      readonly passwordFile?: string | undefined
      readonly tokenFile?: string | undefined
    }

/** Destinations of an operator by name, or by a pattern of ARNs. */
export type DestinationTable = ReadonlyMap<string, Destination>

/** For each kind, its members: those that must be there, and those that may. */
const MEMBERS = {
  http: [['url'], ['secretFile']],
  file: [['path'], []],
  stdout: [[], []],
  sqs: [['endpoint'], ['queueUrl', 'region', 'accessKeyId', 'secretKeyFile']],
  nats: [
    ['server', 'subject'],
    ['stream', 'user', 'passwordFile', 'tokenFile'],
  ],
} as const satisfies Readonly<Record<string, readonly [readonly string[], readonly string[]]>>

type Kind = keyof typeof MEMBERS

const NAME = /^(?:[A-Za-z0-9_.-]{1,64}|arn:[\x21-\x7e]{1,500})$/

/** Reads the operator's table, a JSON object of destinations by name. Throws an `Error` that says what is wrong. */
export function parseDestinations(text: string): DestinationTable {
  const document = parseJson(text)
  if (!isJsonObject(document)) throw new Error('The destinations of events must be a JSON object')
  return new Map(Object.entries(document).map(([name, given]) => [name, parseDestination(name, given)]))
}

function parseDestination(name: string, given: Json): Destination {
  if (!NAME.test(name)) throw new Error(`'${name}' is neither a name nor a pattern of ARNs`)
  if (!isJsonObject(given)) throw new Error(`The destination '${name}' must be an object`)
  const kind = memberOf(given, 'kind')
  if (typeof kind !== 'string' || !Object.hasOwn(MEMBERS, kind))
    throw new Error(`The kind of the destination '${name}' must be one of ${Object.keys(MEMBERS).join(', ')}`)
  const [required, optional] = MEMBERS[kind as Kind]
  const known: readonly string[] = ['kind', ...required, ...optional]
  for (const [member, value] of Object.entries(given)) {
    if (!known.includes(member)) throw new Error(`The destination '${name}' has no '${member}'`)
    if (typeof value !== 'string' || value === '') throw new Error(`'${member}' of '${name}' must be a text`)
  }
  for (const member of required)
    if (memberOf(given, member) === undefined) throw new Error(`The destination '${name}' needs '${member}'`)
  checkAddress(name, given)
  return given as unknown as Destination
}

const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  url: ['http:', 'https:'],
  endpoint: ['http:', 'https:'],
  queueUrl: ['http:', 'https:'],
  server: ['nats:', 'tls:'],
}

function checkAddress(name: string, given: JsonObject): void {
  for (const [member, schemes] of Object.entries(SCHEMES)) {
    const text = memberOf(given, member)
    if (typeof text !== 'string') continue
    if (!URL.canParse(text) || !schemes.includes(new URL(text).protocol))
      throw new Error(
        `'${member}' of '${name}' must be an address with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
      )
    const { username, password } = new URL(text)
    if (username !== '' || password !== '')
      throw new Error(`'${member}' of '${name}' must hold no credentials: they belong in a file`)
  }
  const [subject, stream] = [memberOf(given, 'subject'), memberOf(given, 'stream')]
  if (typeof subject === 'string' && !SUBJECT.test(subject))
    throw new Error(`'subject' of '${name}' must be a subject of NATS without wildcards, such as 'ecru.events'`)
  if (typeof stream === 'string' && !STREAM.test(stream))
    throw new Error(`'stream' of '${name}' must be the name of a stream of JetStream`)
}

const SUBJECT = /^[^\s.*>]+(?:\.[^\s.*>]+)*$/
const STREAM = /^[A-Za-z0-9_-]{1,255}$/

const ARN = /^arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):([0-9]*):(.+)$/
const NAMED = 'event-target/'
const WEBHOOK = 'webhook/'

/**
 * Where an ARN leads, for a rule of that registry: `arn:aws:ecru:R:A:event-target/NAME` to what the operator calls so,
 * `arn:aws:ecru:R:A:webhook/URL` to a URL, and any other to the first pattern of the table that it meets.
 * Otherwise a sentence that says why it leads nowhere.
 */
export function destinationOf(arn: string, registry: Registry, table: DestinationTable): Destination | string {
  const [, service, region = '', account = '', resource = ''] = ARN.exec(arn) ?? []
  if (service === undefined) return 'Provided Arn is not in correct format.'
  if (service !== 'ecru') return byPattern(arn, table)
  if (!isRegion(region) || !isRegistryId(account) || region !== registry.region || account !== registry.registryId)
    return `Provided Arn is of another account or Region than the rule's.`
  if (resource.startsWith(WEBHOOK)) return webhook(resource.slice(WEBHOOK.length), registry)
  const name = resource.startsWith(NAMED) ? resource.slice(NAMED.length) : undefined
  const found = name === undefined || name.startsWith('arn:') ? undefined : table.get(name)
  return found ?? `There is no destination of that name: ${resource}.`
}

/** An ARN as it may be written down: of a webhook's URL, which may hold a secret, the host alone. */
export function withoutSecrets(arn: string): string {
  return arn.replace(
    /^(arn:aws[a-z-]*:ecru:[^:]*:[^:]*:webhook\/)(?:([a-z]+:\/\/)(?:[^/?#]*@)?([^/?#@]*))?.*$/s,
    '$1$2$3/…',
  )
}

function webhook(url: string, registry: Registry): Destination | string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol))
    return 'A webhook is named by its URL: arn:aws:ecru:REGION:ACCOUNT:webhook/https://host/path.'
  if (parsed.username !== '' || parsed.password !== '') return 'The URL of a webhook must not hold credentials.'
  return { kind: 'webhook', url, registry }
}

function byPattern(arn: string, table: DestinationTable): Destination | string {
  for (const [pattern, destination] of table)
    if (pattern.startsWith('arn:') && wildcard(pattern)(arn)) return destination
  return 'No destination is configured here for this kind of Arn.'
}
