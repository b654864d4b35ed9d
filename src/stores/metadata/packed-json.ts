import type { ObservedFinding } from '../../domain/scanning/scan.ts'

/** Values as bytes, small. */
export function packed(value: unknown): Uint8Array {
  return Bun.zstdCompressSync(JSON.stringify(value))
}

export function unpacked(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(Bun.zstdDecompressSync(bytes)))
}

const MOMENTS: ReadonlySet<string> = new Set(['publishedAt', 'modifiedAt', 'firstObservedAt', 'changedAt', 'until'])

export function unpackedFindings(bytes: Uint8Array): readonly ObservedFinding[] {
  const text = new TextDecoder().decode(Bun.zstdDecompressSync(bytes))
  return JSON.parse(text, (key, value: unknown) =>
    MOMENTS.has(key) && typeof value === 'string' ? new Date(value) : value,
  ) as ObservedFinding[]
}
