import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { entryOf, type TarFile } from '../test/support/tar-builder.ts'
import { generatedLayer, type LayerFile } from './generated-layer.ts'

const MIB = 1 << 20

/** How many packages are in a layer that `writeScannableLayer` makes. */
export const PACKAGES_IN_LAYER = 501

/**
 * Writes a layer of Debian packed by gzip, to be removed by the caller: five hundred packages of dpkg, one of npm, and
 * files of which one half is noise and the other one the same text again and again.
 */
export async function writeScannableLayer(path: string, packedMib: number): Promise<void> {
  const gzip = createGzip({ level: 1 })
  const written = pipeline(gzip, createWriteStream(path))
  const write = async (file: TarFile) => {
    for (const part of entryOf(file))
      if (!gzip.write(part)) await new Promise<void>((resolve) => gzip.once('drain', resolve))
  }
  const packages = Array.from(
    { length: PACKAGES_IN_LAYER - 1 },
    (_, n) => `Package: p${n}\nStatus: install ok installed\nVersion: 1.${n}\n`,
  )
  await write({ path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' })
  await write({ path: 'var/lib/dpkg/status', content: packages.join('\n') })
  await write({ path: 'app/node_modules/qs/package.json', content: '{"name":"qs","version":"6.5.1"}' })
  let n = 0
  for (const noise of generatedLayer('inventory', packedMib * MIB))
    for (let at = 0; at < noise.length; at += 64 * 1024) {
      const content = new Uint8Array(128 * 1024).fill(0x61)
      content.set(noise.subarray(at, at + 64 * 1024))
      await write({ path: `usr/lib/data/${n++}`, content, mode: n % 2 === 0 ? 0o755 : 0o644 })
    }
  gzip.end(new Uint8Array(1024))
  await written
}

/** The same content as another blob: the moment in its gzip header is another one. */
export async function withOtherDigest(path: string, moment: number): Promise<LayerFile> {
  const file = await open(path, 'r+')
  try {
    await file.write(new Uint8Array(new Uint32Array([moment]).buffer), 0, 4, 4)
  } finally {
    await file.close()
  }
  const hash = new Bun.CryptoHasher('sha256')
  for await (const piece of Bun.file(path).stream()) hash.update(piece)
  return { path, sizeBytes: Bun.file(path).size, digest: `sha256:${hash.digest('hex')}` }
}
