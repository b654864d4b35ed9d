import { gzipSync } from 'node:zlib'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import { parseTag, type RepositoryRef } from '../../src/domain/names.ts'
import { sha256, tar } from './image-builder.ts'
import { admin, chunks, manifestOf, pushLayer, type Services } from './service-fixture.ts'

export type Files = Readonly<Record<string, string | Uint8Array>>

export const DEBIAN_FILES: Files = {
  'etc/os-release':
    'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
}

export type DebianPackage = readonly [name: string, version: string, source?: string]

/** A dpkg database. */
export function dpkgStatus(...packages: readonly DebianPackage[]): string {
  return packages
    .map(
      ([name, version, source]) =>
        `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\n${source === undefined ? '' : `Source: ${source}\n`}Version: ${version}\nMaintainer: Nobody\nDescription: a package\n`,
    )
    .join('\n')
}

/** The files of a Debian 12 with these packages. */
export function debian(...packages: readonly DebianPackage[]): Files {
  return { ...DEBIAN_FILES, 'var/lib/dpkg/status': dpkgStatus(...packages) }
}

/** An Alpine 3.18 with these packages. */
export function alpine(...packages: readonly (readonly [name: string, version: string, origin?: string])[]): Files {
  return {
    'etc/os-release': 'ID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME="Alpine Linux v3.18"\n',
    'lib/apk/db/installed': packages
      .map(([name, version, origin = name]) => `P:${name}\nV:${version}\nA:x86_64\no:${origin}\n`)
      .join('\n'),
  }
}

/** A layer as registries keep it. */
export function layerOf(files: Files): Uint8Array {
  return gzipSync(tar(files))
}

/** Uploads bytes as a layer and answers its digest. */
export async function pushBytes({ uploads }: Services, ref: RepositoryRef, bytes: Uint8Array): Promise<Digest> {
  const digest = parseDigest(sha256(bytes))
  const id = await uploads.start(admin, ref)
  await uploads.complete(admin, ref, id, digest, { place: { earlierPartBytesMin: 0 }, body: chunks(bytes) })
  return digest
}

/** Pushes an image of these layers, the lowest first. */
export async function pushFiles(
  services: Services,
  ref: RepositoryRef,
  layers: readonly (Files | Uint8Array)[],
  ...tags: readonly string[]
): Promise<Digest> {
  const config = await pushLayer(services, ref, '{"architecture":"amd64","os":"linux"}')
  const digests: Digest[] = []
  for (const layer of layers)
    digests.push(await pushBytes(services, ref, layer instanceof Uint8Array ? layer : layerOf(layer)))
  const { image } = await services.images.push(admin, ref, {
    manifest: manifestOf(config, digests),
    tags: tags.map(parseTag),
  })
  return image.digest
}
