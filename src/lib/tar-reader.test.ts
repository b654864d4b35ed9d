import { describe, expect, test } from 'bun:test'
import { entryOf, joined, paxOf, type TarFile, tarOf } from '../../test/support/tar-builder.ts'
import { type TarEntry, TarReader } from './tar-reader.ts'

const LIMITS = { entries: 100, pathBytes: 4096 }

/** Every entry with its content, from an archive in pieces of `step` bytes. */
function read(archive: Uint8Array, step = archive.length, needsMark = true) {
  const entries: (TarEntry & { content: string })[] = []
  const reader = new TarReader((entry) => {
    const read = { ...entry, content: '' }
    entries.push(read)
    return {
      write: (piece) => {
        read.content += new TextDecoder().decode(piece)
        return true
      },
      end: () => {},
    }
  }, LIMITS)
  for (let at = 0; at < archive.length; at += step) reader.write(archive.subarray(at, at + step))
  reader.end(needsMark)
  return entries
}

const files: readonly TarFile[] = [
  { path: 'a/', flag: '5' },
  { path: 'a/b', content: 'x'.repeat(700), mode: 0o755 },
  { path: 'a/c', flag: '2', link: 'b' },
  { path: 'a/d', flag: '1', link: 'a/b' },
  paxOf({ path: `${'ä'.repeat(60)}/e`, size: '3' }),
  { path: 'short', content: 'pax' },
  { path: '././@LongLink', flag: 'L', content: `${'l'.repeat(150)}\0` },
  { path: 'cut', content: 'gnu' },
]

test('entries come with their long names and their content, however the archive is cut in pieces', () => {
  const archive = tarOf(files)
  const whole = read(archive)
  expect(whole.map(({ path, type, linkPath, content }) => [path, type, linkPath, content.length])).toEqual([
    ['a/', 'directory', '', 0],
    ['a/b', 'file', '', 700],
    ['a/c', 'symbolic-link', 'b', 0],
    ['a/d', 'hard-link', 'a/b', 0],
    [`${'ä'.repeat(60)}/e`, 'file', '', 3],
    ['l'.repeat(150), 'file', '', 3],
  ])
  expect(whole[1]?.mode).toBe(0o755)
  for (const step of [1, 7, 511, 512, 513]) expect(read(archive, step)).toEqual(whole)
})

test('content that nobody wants is passed over', () => {
  const seen: string[] = []
  const reader = new TarReader((entry) => {
    seen.push(entry.path)
    return entry.path === 'a/b' ? { write: () => false, end: () => seen.push('end') } : undefined
  }, LIMITS)
  reader.write(tarOf(files))
  reader.end(true)
  expect(seen.slice(0, 4)).toEqual(['a/', 'a/b', 'end', 'a/c'])
})

describe('an archive is refused', () => {
  const archive = tarOf([{ path: 'a', content: 'text' }])
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['when it is cut off in a header', archive.subarray(0, 100), 'cut off'],
    ['when it is cut off in content', archive.subarray(0, 514), 'cut off'],
    ['when it is cut off behind an extension header', joined(entryOf(paxOf({ path: 'x' }))), 'cut off'],
    ['when its mark is missing and has to be there', archive.subarray(0, 1024), 'cut off'],
    ['when a header is damaged', Uint8Array.from(archive, (byte, at) => (at === 0 ? byte + 1 : byte)), 'damaged'],
    ['when it is something else', new Uint8Array(1024).fill(7), 'no tar archive'],
    ['when it goes on behind a half mark', joined([new Uint8Array(512), archive]), 'behind its end'],
    ['when a path has a zero in it', tarOf([paxOf({ path: 'a\0b' }), { path: 'a' }]), 'a zero in it'],
    ['when an extension header is damaged', tarOf([{ path: 'x', flag: 'x', content: '99 a=b\n' }]), 'damaged'],
    ['when a size is none', tarOf([paxOf({ size: '-1' }), { path: 'a' }]), 'impossible size'],
    [
      'when it has too many entries',
      tarOf(Array.from({ length: 101 }, () => ({ path: 'a' }))),
      'more than 100 entries',
    ],
  ]
  for (const [when, bytes, message] of cases) test(when, () => expect(() => read(bytes)).toThrow(message))
})

test('without its mark it is whole where the stream itself has an end', () => {
  expect(read(tarOf([{ path: 'a', content: 'text' }]).subarray(0, 1024), 1024, false)).toHaveLength(1)
})

test('what lies behind the mark has no meaning', () => {
  expect(read(joined([tarOf([{ path: 'a' }]), new Uint8Array(5000).fill(9)]))).toHaveLength(1)
})
