import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AdvisoryImportFailed, type ImportRequest } from '../advisories.ts'
import { dumpNames } from './dump-name.ts'
import type { ImportPart } from './import-plan.ts'
import type { Staging } from './staging.ts'

const ARCHIVE = 'all.zip'
const ARCHIVE_BYTES_MAX = 8 * 1024 ** 3
const LIST_BYTES_MAX = 512 * 1024 * 1024
const RECORD_BYTES_MAX = 64 * 1024 * 1024
/** More changes than that come quicker in one archive. */
const SINGLE_RECORDS_MAX = 2_000
const FETCHES_AT_ONCE = 8
const IDLE_MS = 60_000

type Take = (part: ImportPart, partCount: number) => void

/** A file, or a bucket in the layout of OSV, behind a URL. What is fetched lies in a directory of its own until `close`. */
export class RemoteSource {
  readonly fingerprint: string
  readonly #base: URL
  readonly #request: ImportRequest
  readonly #directory: string
  readonly #ca: string | undefined

  /** Throws `AdvisoryImportFailed`. */
  constructor(request: ImportRequest, directory: string) {
    if (!URL.canParse(request.from)) throw new AdvisoryImportFailed('The address of the advisories is no URL.')
    this.#base = new URL(request.from)
    this.#request = request
    this.#directory = mkdtempSync(join(directory, 'fetched-'))
    this.#ca = readAuthorities(request.caFile)
    this.fingerprint = Bun.hash(JSON.stringify([request.from, request.ecosystems])).toString(36)
  }

  /** Fetches part by part; one is imported and thrown away before the next is fetched. */
  async eachPart(staging: Staging, take: Take): Promise<void> {
    if (/\.(zip|json|json\.gz)$/.test(this.#base.pathname)) {
      const [name = '', folder] = this.#base.pathname.split('/').reverse().map(decodeURIComponent)
      const isWhole = name === ARCHIVE && folder !== undefined && folder !== ''
      const part = await this.#fetchFile(this.#base, name, isWhole ? folder : undefined, isWhole)
      if (part === undefined) throw new AdvisoryImportFailed(`There is nothing at ${shown(this.#base)}.`)
      take(part, 1)
      return
    }
    const ecosystems = await this.#ecosystems()
    for (const ecosystem of ecosystems) {
      await this.#fetchEcosystem(ecosystem, staging, (part) => take(part, ecosystems.length))
      this.#empty()
    }
    const kev = await this.#fetchFile(this.#at('kev.json'), 'kev.json', undefined, false)
    if (kev !== undefined) take(kev, ecosystems.length)
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #ecosystems(): Promise<readonly string[]> {
    const list = await this.#fetchText(this.#at('ecosystems.txt'))
    if (list === undefined)
      throw new AdvisoryImportFailed(`${shown(this.#base)} has no ecosystems.txt: it is no bucket of OSV.`)
    // Releases such as Debian:12 are in the folder of their distribution.
    const offered = new Set(
      list
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.includes(':') && !line.includes('/')),
    )
    const { ecosystems } = this.#request
    const missing = ecosystems?.find((name) => !offered.has(name))
    if (missing !== undefined) throw new AdvisoryImportFailed(`${shown(this.#base)} has no ecosystem ${missing}.`)
    return ecosystems ?? [...offered].sort()
  }

  /** The changes since the newest record that is known, one by one while they are few, or the whole dump. */
  async #fetchEcosystem(ecosystem: string, staging: Staging, take: (part: ImportPart) => void): Promise<void> {
    const newest = staging.newestOf(dumpNames(this.#request.source)(ecosystem))
    const ids = newest === undefined ? undefined : await this.#changedSince(ecosystem, newest)
    if (ids !== undefined && ids.length <= SINGLE_RECORDS_MAX) {
      for (let at = 0; at < ids.length; at += FETCHES_AT_ONCE) {
        const batch = ids.slice(at, at + FETCHES_AT_ONCE)
        const parts = await Promise.all(batch.map((id) => this.#fetchRecord(ecosystem, id)))
        for (const part of parts) if (part !== undefined) take(part)
      }
      return
    }
    const part = await this.#fetchFile(this.#at(ecosystem, ARCHIVE), `${ecosystem}/${ARCHIVE}`, ecosystem, true)
    if (part === undefined) throw new AdvisoryImportFailed(`${shown(this.#base)} has no ${ecosystem}/${ARCHIVE}.`)
    take(part)
  }

  async #changedSince(ecosystem: string, newest: number): Promise<readonly string[] | undefined> {
    const list = await this.#fetchText(this.#at(ecosystem, 'modified_id.csv'))
    if (list === undefined) return undefined
    const ids: string[] = []
    for (const line of list.split('\n')) {
      const comma = line.indexOf(',')
      if (comma < 0) continue
      // The list begins with the newest. What shares its moment may have come since.
      if (new Date(line.slice(0, comma)).getTime() < newest) break
      ids.push(
        line
          .slice(comma + 1)
          .trim()
          .replace(/^.*\//, ''),
      )
    }
    return ids
  }

  async #fetchRecord(ecosystem: string, id: string): Promise<ImportPart | undefined> {
    const url = this.#at(ecosystem, `${id}.json`)
    const bytes = await this.#fetchBytes(url, RECORD_BYTES_MAX)
    if (bytes === undefined) return undefined
    const folder = join(this.#directory, Bun.hash(ecosystem).toString(36))
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${id.replaceAll(/[^\w.:-]/g, '_')}.json`)
    writeFileSync(file, bytes)
    const key = `${url}:${Bun.hash(bytes)}`
    return { key, name: `${id}.json`, file, dump: ecosystem, isWhole: false }
  }

  async #fetchFile(
    url: URL,
    name: string,
    dump: string | undefined,
    isWhole: boolean,
  ): Promise<ImportPart | undefined> {
    const response = await this.#open(url)
    if (response === undefined) return undefined
    const file = join(this.#directory, isWhole || name.endsWith('.zip') ? ARCHIVE : name.replaceAll('/', '_'))
    const { body, headers } = response
    if (body === null) throw new AdvisoryImportFailed(`${shown(url)} answered nothing.`)
    try {
      await pipeline(Readable.from(bounded(body, ARCHIVE_BYTES_MAX, url)), createWriteStream(file))
    } catch (cause) {
      throw cause instanceof AdvisoryImportFailed ? cause : unreachable(url, cause)
    }
    const version = headers.get('etag') ?? headers.get('last-modified') ?? String(Bun.hash(readFileSync(file)))
    return { key: `${url}:${version}`, name, file, dump, isWhole }
  }

  async #fetchText(url: URL): Promise<string | undefined> {
    const bytes = await this.#fetchBytes(url, LIST_BYTES_MAX)
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  }

  async #fetchBytes(url: URL, bytesMax: number): Promise<Uint8Array | undefined> {
    const response = await this.#open(url)
    if (response?.body == null) return undefined
    const chunks: Uint8Array[] = []
    try {
      for await (const chunk of bounded(response.body, bytesMax, url)) chunks.push(chunk)
    } catch (cause) {
      throw cause instanceof AdvisoryImportFailed ? cause : unreachable(url, cause)
    }
    return Buffer.concat(chunks)
  }

  /** `undefined`: there is nothing at this address. */
  async #open(url: URL): Promise<Response | undefined> {
    const tls = this.#ca === undefined ? {} : { tls: { ca: this.#ca } }
    let response: Response
    try {
      response = await fetch(url, { ...tls, signal: AbortSignal.timeout(24 * 3_600_000) } as BunFetchRequestInit)
    } catch (cause) {
      throw unreachable(url, cause)
    }
    if (response.ok) return response
    await response.body?.cancel()
    if (response.status === 404 || response.status === 410) return undefined
    throw new AdvisoryImportFailed(`${shown(url)} answered ${response.status}.`)
  }

  #at(...segments: readonly string[]): URL {
    const url = new URL(this.#base)
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${segments.map(encodeURIComponent).join('/')}`
    return url
  }

  #empty(): void {
    rmSync(this.#directory, { recursive: true, force: true })
    mkdirSync(this.#directory)
  }
}

async function* bounded(body: ReadableStream<Uint8Array>, bytesMax: number, url: URL): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  let total = 0
  try {
    for (;;) {
      const idle = Promise.withResolvers<never>()
      const timer = setTimeout(() => idle.reject(new Error('nothing came for a minute')), IDLE_MS)
      const { done, value } = await Promise.race([reader.read(), idle.promise]).finally(() => clearTimeout(timer))
      if (done) return
      total += value.byteLength
      if (total > bytesMax) throw new AdvisoryImportFailed(`${shown(url)} is larger than ${bytesMax} bytes.`)
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function readAuthorities(caFile: string | undefined): string | undefined {
  if (caFile === undefined) return undefined
  try {
    return readFileSync(caFile, 'utf8')
  } catch (cause) {
    throw new AdvisoryImportFailed(`The certificates in ${caFile} cannot be read.`, { cause })
  }
}

function unreachable(url: URL, cause: unknown): AdvisoryImportFailed {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new AdvisoryImportFailed(`${shown(url)} cannot be fetched: ${reason}`, { cause })
}

/** Without what may be a secret in it. */
function shown({ origin, pathname }: URL): string {
  return `${origin}${pathname}`
}
