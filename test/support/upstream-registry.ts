import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Blob, type BuiltImage, type BuiltIndex, sha256 } from './image-builder.ts'

/** Answers a request instead of the registry; false: it does not want to. */
export type Fault = (
  request: { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] },
  response: ServerResponse,
) => boolean | Promise<boolean>

export interface UpstreamOptions {
  readonly auth?: 'anonymous' | 'basic' | 'bearer'
  readonly username?: string
  readonly password?: string
  /** Tokens live for so long. */
  readonly tokenSeconds?: number
  readonly hasReferrers?: boolean
}

/** A registry to pull from and push to, small but true, that asks for what it is told to and fails when it is told to. */
export class UpstreamRegistry {
  readonly blobs = new Map<string, Buffer>()
  readonly manifests = new Map<string, { readonly mediaType: string; readonly bytes: Buffer }>()
  readonly tags = new Map<string, string>()
  /** Every request, as `METHOD path`. */
  readonly asked: string[] = []
  /** The Authorization of every request. */
  readonly authorizations: (string | undefined)[] = []
  fault: Fault = () => false
  readonly #options: UpstreamOptions
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  readonly #uploads = new Map<string, Buffer>()
  readonly #tokens = new Map<string, number>()

  private constructor(options: UpstreamOptions) {
    this.#options = options
  }

  static async start(options: UpstreamOptions = {}): Promise<UpstreamRegistry> {
    const registry = new UpstreamRegistry(options)
    await new Promise<void>((ready) => registry.#server.listen(0, '127.0.0.1', ready))
    return registry
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`)
  }

  /** How often something was asked for that begins so. */
  count(prefix: string): number {
    return this.asked.filter((line) => line.startsWith(prefix)).length
  }

  add({ mediaType, bytes }: Blob, name: string, ...tags: readonly string[]): string {
    const digest = sha256(bytes)
    this.manifests.set(`${name}@${digest}`, { mediaType, bytes })
    for (const tag of tags) this.tags.set(`${name}:${tag}`, digest)
    return digest
  }

  addImage(image: BuiltImage, name: string, ...tags: readonly string[]): string {
    for (const { digest, bytes } of [image.config, ...image.layers]) this.blobs.set(digest, bytes)
    return this.add(image.manifest, name, ...tags)
  }

  addIndex(index: BuiltIndex, name: string, ...tags: readonly string[]): string {
    for (const image of index.images) this.addImage(image, name)
    return this.add(index.manifest, name, ...tags)
  }

  /** Comes back on the port that it had. */
  async restart(port: number): Promise<void> {
    await new Promise<void>((ready) => this.#server.listen(port, '127.0.0.1', ready))
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request
    this.asked.push(`${method} ${path}`)
    this.authorizations.push(headers.authorization)
    try {
      if (await this.fault({ method, path, headers }, response)) return
      const url = new URL(path, this.url)
      if (url.pathname === '/token') return this.#token(url, headers, response)
      if (!this.#isLetIn(headers)) return this.#challenge(url, response)
      await this.#route(method, url, request, response)
    } catch {
      response.destroy()
    }
  }

  #isLetIn({ authorization }: IncomingMessage['headers']): boolean {
    const { auth = 'anonymous' } = this.#options
    if (auth === 'anonymous') return true
    if (auth === 'basic') return authorization === this.#basic()
    const until = this.#tokens.get(authorization?.replace(/^Bearer /, '') ?? '')
    return until !== undefined && performance.now() < until
  }

  #basic(): string {
    const { username = 'user', password = 'secret' } = this.#options
    return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }

  #challenge(url: URL, response: ServerResponse): void {
    const name = /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)\//.exec(url.pathname)?.[1]
    const scope =
      name === undefined
        ? url.pathname === '/v2/_catalog'
          ? ',scope="registry:catalog:*"'
          : ''
        : `,scope="repository:${name}:pull"`
    const challenge =
      this.#options.auth === 'basic'
        ? 'Basic realm="here"'
        : `Bearer realm="${this.url.origin}/token",service="up"${scope}`
    response.writeHead(401, { 'www-authenticate': challenge }).end()
  }

  #token(url: URL, { authorization }: IncomingMessage['headers'], response: ServerResponse): void {
    const { password, tokenSeconds = 300 } = this.#options
    if (password !== undefined && authorization !== this.#basic()) return void response.writeHead(401).end()
    const token = `t${this.#tokens.size}.${Buffer.from(url.searchParams.getAll('scope').join(' ')).toString('base64url')}`
    this.#tokens.set(token, performance.now() + tokenSeconds * 1000)
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ token, expires_in: tokenSeconds }))
  }

  async #route(method: string, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name = '', kind = '', rest = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs|tags|referrers)\/(.+)$/.exec(url.pathname) ?? []
    if (url.pathname === '/v2/') return void response.writeHead(200).end('{}')
    if (url.pathname === '/v2/_catalog') return this.#catalog(url, response)
    if (kind === 'manifests' && method === 'PUT') return this.#putManifest(name, rest, request, response)
    if (kind === 'manifests') return this.#manifest(method, name, rest, response)
    if (kind === 'tags') return this.#tagList(name, url, response)
    if (kind === 'referrers' && this.#options.hasReferrers !== false) return this.#referrers(name, rest, response)
    if (kind === 'blobs' && rest.startsWith('uploads/')) return this.#upload(method, name, rest, url, request, response)
    if (kind === 'blobs') return this.#blob(method, rest, request.headers.range, response)
    response.writeHead(404).end()
  }

  #manifest(method: string, name: string, reference: string, response: ServerResponse): void {
    const digest = reference.includes(':') ? reference : this.tags.get(`${name}:${reference}`)
    const found = this.manifests.get(`${name}@${digest}`)
    if (found === undefined) return void response.writeHead(404).end()
    response.writeHead(200, {
      'content-type': found.mediaType,
      'content-length': String(found.bytes.length),
      'docker-content-digest': digest,
    })
    response.end(method === 'HEAD' ? undefined : found.bytes)
  }

  async #putManifest(name: string, reference: string, request: IncomingMessage, response: ServerResponse) {
    const bytes = await read(request)
    const mediaType = request.headers['content-type'] ?? ''
    this.add({ mediaType, bytes, digest: '' }, name, ...(reference.includes(':') ? [] : [reference]))
    response.writeHead(201).end()
  }

  #blob(method: string, digest: string, range: string | undefined, response: ServerResponse): void {
    const bytes = this.blobs.get(digest)
    if (bytes === undefined) return void response.writeHead(404).end()
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
    const rest = bytes.subarray(from)
    response.writeHead(from === 0 ? 200 : 206, {
      'content-length': String(rest.length),
      ...(from === 0 ? {} : { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    })
    response.end(method === 'HEAD' ? undefined : rest)
  }

  async #upload(
    method: string,
    name: string,
    rest: string,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    const location = (id: string) => `/v2/${name}/blobs/uploads/${id}?state=a%2Bb`
    if (method === 'POST') {
      const mount = url.searchParams.get('mount')
      if (mount !== null && this.blobs.has(mount)) return void response.writeHead(201, { location: 'x' }).end()
      const id = crypto.randomUUID()
      this.#uploads.set(id, Buffer.alloc(0))
      return void response.writeHead(202, { location: location(id) }).end()
    }
    const id = rest.slice('uploads/'.length)
    const held = this.#uploads.get(id)
    if (held === undefined || url.searchParams.get('state') !== 'a+b') return void response.writeHead(404).end()
    const range = { location: location(id), range: `0-${Math.max(0, held.length - 1)}` }
    if (method === 'GET') return void response.writeHead(204, range).end()
    let now = held
    for await (const chunk of request as AsyncIterable<Buffer>) {
      now = Buffer.concat([now, chunk])
      this.#uploads.set(id, now)
    }
    if (method === 'PATCH') return void response.writeHead(202, { ...range, range: `0-${now.length - 1}` }).end()
    if (sha256(now) !== url.searchParams.get('digest')) return void response.writeHead(400).end()
    this.blobs.set(sha256(now), now)
    response.writeHead(201).end()
  }

  #tagList(name: string, url: URL, response: ServerResponse): void {
    const all = [...this.tags.keys()]
      .filter((key) => key.startsWith(`${name}:`))
      .map((key) => key.slice(name.length + 1))
    const from = Number(url.searchParams.get('last') ?? 0)
    const n = Number(url.searchParams.get('n') ?? 1000)
    const link = from + n < all.length ? { link: `</v2/${name}/tags/list?n=${n}&last=${from + n}>; rel="next"` } : {}
    response.writeHead(200, link).end(JSON.stringify({ name, tags: all.slice(from, from + n) }))
  }

  #catalog(url: URL, response: ServerResponse): void {
    const all = [...new Set([...this.tags.keys()].map((key) => key.replace(/:[^:]*$/, '')))].toSorted()
    const from = Number(url.searchParams.get('last') ?? 0)
    const n = Number(url.searchParams.get('n') ?? 1000)
    const link = from + n < all.length ? { link: `</v2/_catalog?n=${n}&last=${from + n}>; rel="next"` } : {}
    response.writeHead(200, link).end(JSON.stringify({ repositories: all.slice(from, from + n) }))
  }

  #referrers(name: string, digest: string, response: ServerResponse): void {
    const manifests = [...this.manifests].flatMap(([key, { mediaType, bytes }]) => {
      const document = JSON.parse(bytes.toString())
      if (!key.startsWith(`${name}@`) || document.subject?.digest !== digest) return []
      const artifactType = document.artifactType ?? document.config?.mediaType
      return [{ mediaType, digest: sha256(bytes), size: bytes.length, artifactType, annotations: document.annotations }]
    })
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    response
      .writeHead(200, { 'content-type': mediaType })
      .end(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
  }
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
