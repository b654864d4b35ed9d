import { gunzipSync } from 'node:zlib'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import { TarReader } from '../../src/lib/tar-reader.ts'

/** A layer of an image that `docker save` wrote. */
export interface SavedLayer {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The layers of a packed `docker save` archive, the lowest first, each under the digest of its plain tar. */
export async function savedLayers(path: string): Promise<readonly SavedLayer[]> {
  const files = tarFiles(gunzipSync(await Bun.file(path).bytes()))
  const manifest = JSON.parse(new TextDecoder().decode(files.get('manifest.json'))) as readonly {
    readonly Layers: readonly string[]
  }[]
  return (manifest[0]?.Layers ?? []).map((name) => {
    const bytes = files.get(name)
    if (bytes === undefined) throw new Error(`${path} has no ${name}`)
    const digest = parseDigest(`sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`)
    return { digest, mediaType: 'application/vnd.oci.image.layer.v1.tar', bytes }
  })
}

function tarFiles(archive: Uint8Array): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>()
  const reader = new TarReader(
    ({ path, sizeBytes }) => {
      const bytes = new Uint8Array(sizeBytes)
      let filled = 0
      return {
        write: (piece) => {
          bytes.set(piece, filled)
          filled += piece.length
          return true
        },
        end: () => files.set(path, bytes),
      }
    },
    { entries: 10_000, pathBytes: 4096 },
  )
  reader.write(archive)
  reader.end(false)
  return files
}
