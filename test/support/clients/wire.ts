import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Blob, type BuiltImage, type BuiltIndex, everyBlob, sha256 } from '../image-builder.ts'
import type { Stage } from './stage.ts'

/** Where a registry answers, and a login to it. */
export type Served = Pick<Stage, 'url' | 'password'>

/** Talks to the registry without any client in between, to see what it really keeps. */
export async function wire(stage: Served, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Basic ${Buffer.from(`AWS:${stage.password}`).toString('base64')}`)
  return fetch(`${stage.url}/v2/${path}`, { ...init, headers })
}

/** The stored manifest, its bytes checked against the digest that the registry names. Throws when there is none. */
export async function storedManifest(stage: Served, repository: string, reference: string): Promise<Blob> {
  const accept = [
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.docker.distribution.manifest.list.v2+json',
  ].join(', ')
  const answer = await wire(stage, `${repository}/manifests/${reference}`, { headers: { accept } })
  if (!answer.ok) throw new Error(`${repository}:${reference} answers ${answer.status} ${await answer.text()}`)
  const bytes = Buffer.from(await answer.arrayBuffer())
  const digest = sha256(bytes)
  const named = answer.headers.get('docker-content-digest')
  if (named !== digest) throw new Error(`${repository}:${reference} is ${digest} but is called ${named}`)
  return { bytes, digest, mediaType: answer.headers.get('content-type') ?? '' }
}

/** Whether the registry serves every byte of an image or index: each manifest and blob is fetched and compared. */
export async function servesEveryByte(
  stage: Served,
  repository: string,
  built: BuiltImage | BuiltIndex,
): Promise<boolean> {
  for (const { digest, bytes, mediaType } of everyBlob(built)) {
    const isManifest = /manifest|index/.test(mediaType)
    const path = `${repository}/${isManifest ? 'manifests' : 'blobs'}/${digest}`
    const answer = await wire(stage, path, { headers: { accept: mediaType } })
    if (!answer.ok) throw new Error(`${path} answers ${answer.status} ${await answer.text()}`)
    if (!Buffer.from(await answer.arrayBuffer()).equals(bytes)) throw new Error(`${path} has other bytes`)
    if (isManifest && answer.headers.get('content-type') !== mediaType)
      throw new Error(`${path} has another media type`)
  }
  return true
}

/** The digests of all files below a directory, to find what a client pulled. */
export async function digestsBelow(dir: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Set(await Promise.all(files.map(async (file) => sha256(await readFile(file)))))
}

/** Which manifests and blobs of an image or index are not among the files below a directory. */
export async function missingBelow(dir: string, built: BuiltImage | BuiltIndex): Promise<readonly string[]> {
  const digests = await digestsBelow(dir)
  return everyBlob(built)
    .map(({ digest }) => digest)
    .filter((digest) => !digests.has(digest))
}

/** Puts an image or index into a repository by plain requests: each blob in one piece, children before their index. */
export async function push(
  stage: Served,
  repository: string,
  built: BuiltImage | BuiltIndex,
  reference?: string,
): Promise<void> {
  if ('images' in built) for (const image of built.images) await push(stage, repository, image)
  else for (const part of [built.config, ...built.layers]) await pushBlob(stage, repository, part)
  const { digest, mediaType, bytes } = built.manifest
  const init = { method: 'PUT', headers: { 'content-type': mediaType }, body: new Uint8Array(bytes) }
  await expectStatus(await wire(stage, `${repository}/manifests/${reference ?? digest}`, init), 201)
}

/** Uploads one blob: a session, then all bytes with the closing request. */
export async function pushBlob(stage: Served, repository: string, { digest, bytes }: Blob): Promise<void> {
  const begun = await expectStatus(await wire(stage, `${repository}/blobs/uploads/`, { method: 'POST' }), 202)
  const location = new URL(begun.headers.get('location') ?? '', stage.url)
  location.searchParams.set('digest', digest)
  const path = `${location.pathname.slice('/v2/'.length)}${location.search}`
  const headers = { 'content-type': 'application/octet-stream' }
  await expectStatus(await wire(stage, path, { method: 'PUT', headers, body: new Uint8Array(bytes) }), 201)
}

async function expectStatus(answer: Response, status: number): Promise<Response> {
  if (answer.status !== status) throw new Error(`${answer.url} answers ${answer.status} ${await answer.text()}`)
  return answer
}
