import { expect } from 'bun:test'
import { RegistryClient, type RegistryClientSettings } from '../../src/clients/registry.ts'
import type { Login } from '../../src/clients/registry-auth.ts'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import { FakeClock } from './fake-clock.ts'
import { noise, sha256 } from './image-builder.ts'
import { type UpstreamOptions, UpstreamRegistry } from './upstream-registry.ts'

export const NAME = 'team/app'
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
export const MANIFEST = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, layers: [] }))
export const BLOB = noise('blob', 3_000_000)
export const DIGEST: Digest = parseDigest(sha256(BLOB))

/** A registry with one image and one blob, and clients of it whose rests take no time and are noted. */
export class RegistryClientFixture {
  readonly upstream: UpstreamRegistry
  readonly clock = new FakeClock()
  readonly pauses: number[] = []
  readonly settings: RegistryClientSettings = {
    allowsPrivateAddresses: true,
    allowsHttp: true,
    answerMs: 2000,
    stallMs: 2000,
    attempts: 3,
    waitMsMax: 10_000,
    pause: async (ms) => void this.pauses.push(ms),
    random: () => 0.5,
  }

  private constructor(upstream: UpstreamRegistry) {
    this.upstream = upstream
  }

  static async begin(options: UpstreamOptions = {}): Promise<RegistryClientFixture> {
    const upstream = await UpstreamRegistry.start(options)
    upstream.blobs.set(DIGEST, BLOB)
    upstream.add({ mediaType: MANIFEST_TYPE, bytes: MANIFEST, digest: '' }, NAME, 'v1')
    return new RegistryClientFixture(upstream)
  }

  client(login?: Login, change: Partial<RegistryClientSettings> = {}): RegistryClient {
    return new RegistryClient(this.upstream.url, async () => login, { ...this.settings, ...change }, this.clock)
  }
}

export const withCode = (code: string): unknown => expect.objectContaining({ code })

/** Pulls the blob whole. */
export async function pullBlob(from: RegistryClient, sizeBytes?: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of (await from.openBlob(NAME, DIGEST, { sizeBytes })).bytes()) chunks.push(chunk)
  return Buffer.concat(chunks)
}
