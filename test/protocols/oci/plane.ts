import { parseDigest } from '../../../src/domain/digest.ts'
import { parseRegion, parseRepositoryName } from '../../../src/domain/names.ts'
import type { Quotas } from '../../../src/domain/quotas.ts'
import type { Rates } from '../../../src/domain/rates.ts'
import { detachedContext, type Handler, type RequestContext } from '../../../src/protocols/http/context.ts'
import { LargeBodies } from '../../../src/protocols/http/large-bodies.ts'
import { createLayerDownloads } from '../../../src/protocols/oci/downloads.ts'
import { createOci } from '../../../src/protocols/oci/routes.ts'
import type { OciSettings } from '../../../src/protocols/oci/services.ts'
import type { BlobStore } from '../../../src/stores/blobs.ts'
import { sha256 } from '../../support/image-builder.ts'
import {
  admin,
  createServices,
  manifestOf,
  OCI_MANIFEST,
  registry,
  type ServiceOptions,
  type Services,
} from '../../support/service-fixture.ts'

export const HOST = 'registry.test:4566'
export const ORIGIN = `http://${HOST}`
export const REQUEST_ID = '6f5d6c5c-54a9-4f3e-9d2a-000000000001'

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  /** False: without credentials. */
  readonly isLoggedIn?: boolean
  readonly context?: Partial<RequestContext>
}

/** The OCI plane over stores in memory, called without a socket. */
export interface Plane {
  readonly oci: Handler
  readonly downloads: Handler
  readonly services: Services
  /** An `Authorization` header that is good for 12 hours. */
  readonly authorization: string
  /** What the plane took to be its own mistakes. */
  readonly reported: readonly unknown[]
  ask(method: string, path: string, ask?: Ask): Promise<Response>
  close(): Promise<void>
}

export interface PlaneOptions extends Partial<OciSettings> {
  readonly blobs?: BlobStore
  readonly bodies?: LargeBodies
  readonly quotas?: Quotas
  readonly rates?: Rates
  readonly isMountOpen?: boolean
  readonly areLayersWanted?: boolean
  readonly isEveryPushWelcome?: boolean
  readonly access?: ServiceOptions['access']
  readonly driver?: ServiceOptions['driver']
  readonly mirrors?: ServiceOptions['mirrors']
}

export async function createPlane({
  isEveryPushWelcome = false,
  quotas,
  rates,
  isMountOpen,
  areLayersWanted,
  blobs,
  access,
  driver,
  mirrors,
  bodies = new LargeBodies(),
  ...settings
}: PlaneOptions = {}): Promise<Plane> {
  const services = await createServices({
    isEveryPushWelcome,
    ...(blobs === undefined ? {} : { blobs }),
    ...(access === undefined ? {} : { access }),
    ...(driver === undefined ? {} : { driver }),
    ...(mirrors === undefined ? {} : { mirrors }),
    ...(quotas === undefined ? {} : { quotas }),
    ...(rates === undefined ? {} : { rates }),
    ...(isMountOpen === undefined ? {} : { isMountOpen }),
    ...(areLayersWanted === undefined ? {} : { areLayersWanted }),
  })
  const reported: unknown[] = []
  const plane = {
    ...services,
    settings: { fidelity: 'oci', layerPartBytesMin: 0, ...settings },
    bodies,
    report: (thrown: unknown) => reported.push(thrown),
  } as const
  const oci = createOci(plane)
  const downloads = createLayerDownloads(plane)
  const authorization = basic('AWS', (await services.tokens.issue(admin, parseRegion(registry.region))).password)
  const ask = (method: string, path: string, { headers, body, isLoggedIn = true, context = {} }: Ask = {}) => {
    const login: Record<string, string> = isLoggedIn ? { authorization } : {}
    const request = new Request(path.startsWith('http') ? path : ORIGIN + path, {
      method,
      headers: { ...login, ...headers },
      ...(body === undefined ? {} : { body }),
    })
    const handler = path.startsWith('/_ecru/') ? downloads : oci
    return handler(request, detachedContext({ requestId: REQUEST_ID, ...context }))
  }
  return { oci, downloads, services, authorization, reported, ask, close: services.close }
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** Pushes a blob in one request and answers its digest. */
export async function putBlob(plane: Plane, name: string, content: string): Promise<string> {
  const digest = sha256(content)
  const response = await plane.ask('POST', `/v2/${name}/blobs/uploads/?digest=${digest}`, { body: content })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return digest
}

/** The bytes of a manifest whose config and layer are in the repository. */
export async function manifestIn(plane: Plane, name: string, content: string, extra: object = {}): Promise<string> {
  const config = await putBlob(plane, name, `config of ${content}`)
  const layer = await putBlob(plane, name, `layer of ${content}`)
  return Buffer.from(manifestOf(parseDigest(config), [parseDigest(layer)], extra)).toString()
}

/** Pushes an image under a reference and answers its digest. */
export async function putImage(
  plane: Plane,
  name: string,
  reference: string,
  content: string,
  extra: object = {},
): Promise<string> {
  const body = await manifestIn(plane, name, content, extra)
  const headers = { 'content-type': OCI_MANIFEST }
  const response = await plane.ask('PUT', `/v2/${name}/manifests/${reference}`, { body, headers })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return sha256(body)
}

/** Makes a repository, as `aws ecr create-repository` would. */
export async function createRepository({ services }: Plane, name: string): Promise<void> {
  await services.repositories.create(admin, { registry, name: parseRepositoryName(name) })
}

/** Status, code and message of an answer in the error envelope; the whole text must be the envelope and a newline. */
export async function refusalOf(response: Response) {
  const text = await response.text()
  const document = JSON.parse(text) as { errors: { code: string; message: string }[] }
  const [error] = document.errors
  if (text !== `${JSON.stringify({ errors: [{ code: error?.code, message: error?.message }] })}\n`)
    throw new Error(`Not the envelope: ${text}`)
  return { status: response.status, code: error?.code, message: error?.message }
}
