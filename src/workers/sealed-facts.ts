import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { LayerFacts } from '../domain/inventory/layer-facts.ts'

/** What a layer says, packed for keeping: JSON and zstd. */
export function sealFacts(facts: LayerFacts): Uint8Array<ArrayBuffer> {
  return new Uint8Array(zstdCompressSync(JSON.stringify(facts)))
}

/** The reverse, of bytes that {@link sealFacts} made in the same version of the analyser. */
export function openFacts(sealed: Uint8Array): LayerFacts {
  return JSON.parse(new TextDecoder().decode(zstdDecompressSync(sealed))) as LayerFacts
}
