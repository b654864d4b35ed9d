import { expect, test } from 'bun:test'
import { filesOfTar } from './tar-stream.ts'
import { padding, TAR_END, tarHeader } from './tar-writer.ts'

const file = (name: string, bytes: Uint8Array) =>
  Buffer.concat([tarHeader(name, bytes.byteLength), bytes, padding(bytes.byteLength)])

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}

async function read(source: AsyncIterable<Uint8Array>): Promise<readonly (readonly [string, string])[]> {
  const found: [string, string][] = []
  for await (const { name, content } of filesOfTar(source)) {
    let text = ''
    for await (const piece of content()) text += Buffer.from(piece).toString('latin1')
    found.push([name, text])
  }
  return found
}

const long = `blobs/${'x'.repeat(300)}/end`
const archive = Buffer.concat([
  file('one', Buffer.from('first')),
  file(long, Buffer.from('y'.repeat(1000))),
  file('./empty', Buffer.alloc(0)),
  file('last', Buffer.from('z'.repeat(512))),
  TAR_END,
])

for (const size of [1, 7, 512, 100_000])
  test(`files come in order, however the stream is cut into pieces: ${size}`, async () => {
    expect(await read(inPieces(archive, size))).toEqual([
      ['one', 'first'],
      [long, 'y'.repeat(1000)],
      ['empty', ''],
      ['last', 'z'.repeat(512)],
    ])
  })

test('content that is not read is passed over', async () => {
  const names: string[] = []
  for await (const { name } of filesOfTar(inPieces(archive, 100))) names.push(name)
  expect(names).toEqual(['one', long, 'empty', 'last'])
})

test('an archive that is cut off anywhere says so', async () => {
  for (const length of [0, 100, 512, 514, 1024, archive.byteLength - 1500])
    await expect(read(inPieces(archive.subarray(0, length), 1000))).rejects.toThrow('cut off')
})

test('what no archive would have is refused', async () => {
  await expect(read(inPieces(Buffer.alloc(1024, 'text'), 100))).rejects.toThrow('no tar archive')
  const records = Buffer.from('14 size=-1024\n')
  const negative = Buffer.concat([tarHeader('x', records.byteLength), records, padding(records.byteLength)])
  negative.write('x', 156)
  negative.write('        ', 148)
  const sum = negative.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  negative.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const hostile = Buffer.concat([negative, file('x', Buffer.alloc(600)), TAR_END])
  await expect(read(inPieces(hostile, 512))).rejects.toThrow('impossible size')
})
