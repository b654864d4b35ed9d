/** Bytes as they are kept: small. Quick rather than smallest, as most of it is made again with every change of advisories. */
export function packed(json: string): Uint8Array {
  return Bun.zstdCompressSync(json, { level: 1 })
}

/** The text that was packed. */
export function unpacked(bytes: Uint8Array): string {
  return new TextDecoder().decode(Bun.zstdDecompressSync(bytes))
}
