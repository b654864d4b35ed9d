const TYPE_STRING = 6

/** The header of an installed package as an rpm database keeps it. */
export function rpmHeader(name: string, version: string, release: string, arch = 'x86_64'): Uint8Array {
  const texts: readonly (readonly [tag: number, text: string])[] = [
    [1000, name],
    [1001, version],
    [1002, release],
    [1022, arch],
    [1044, `${name}-${version}-${release}.src.rpm`],
  ]
  const index: Buffer[] = []
  const data: Buffer[] = []
  let at = 0
  for (const [tag, text] of texts) {
    const entry = Buffer.alloc(16)
    for (const [place, value] of [tag, TYPE_STRING, at, 1].entries()) entry.writeUInt32BE(value, place * 4)
    index.push(entry)
    const bytes = Buffer.from(`${text}\0`)
    data.push(bytes)
    at += bytes.length
  }
  const counts = Buffer.alloc(8)
  counts.writeUInt32BE(texts.length, 0)
  counts.writeUInt32BE(at, 4)
  return new Uint8Array(Buffer.concat([counts, ...index, ...data]))
}
