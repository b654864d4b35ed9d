import { describe, expect, test } from 'bun:test'
import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { parseDigest } from '../../src/domain/digest.ts'
import { isRegistryError } from '../../src/domain/errors.ts'
import { INVENTORY_LIMITS, type InventoryLimits } from '../../src/domain/inventory/limits.ts'
import { mergeLayers } from '../../src/domain/inventory/merge.ts'
import { readFile } from '../../src/domain/inventory/read-file.ts'
import type { FileKind } from '../../src/domain/inventory/selection.ts'
import { BudgetedInflater } from '../../src/lib/inflater.ts'
import { analyseLayer } from '../../src/workers/layer-analysis.ts'
import { elfOf, goBuildInfo, oldGoProgram } from '../support/elf-builder.ts'
import { savedLayers } from '../support/saved-image.ts'
import { paxOf, type TarFile, tarOf } from '../support/tar-builder.ts'
import { zipOf } from '../support/zip-builder.ts'

const IMAGES = 'test/data/scan-images'
const OCI = 'application/vnd.oci.image.layer.v1.tar'
const RUNS = 150

/** Small limits, so that what would exceed the real ones exceeds these within the time of a test. */
const LIMITS: InventoryLimits = {
  ...INVENTORY_LIMITS,
  layerBytes: 16 << 20,
  layerEntries: 5_000,
  fileBytes: 4 << 20,
  databaseBytes: 4 << 20,
  textBytes: 1 << 20,
  inflatedBytes: 8 << 20,
  keptCharacters: 1 << 20,
}

const text = (value: string) => new TextEncoder().encode(value)

/** The only layer of an image, and in it the file at a path. */
async function fileOf(image: string, path: string): Promise<Uint8Array> {
  const [layer] = await savedLayers(`${IMAGES}/${image}.tar.gz`)
  if (layer === undefined) throw new Error(`${image} has no layer`)
  const at = Buffer.from(layer.bytes).indexOf(`${path}\0`)
  const size = Number.parseInt(new TextDecoder().decode(layer.bytes.subarray(at + 124, at + 135)), 8)
  return layer.bytes.slice(at + 512, at + 512 + size)
}

const jar = zipOf([
  ['lib/inner.jar', zipOf([['META-INF/maven/a/b/pom.properties', 'groupId=a\nartifactId=b\nversion=1\n']])],
  ['META-INF/MANIFEST.MF', 'Implementation-Vendor-Id: a\n'],
])

const SAMPLES: readonly (readonly [FileKind, string, () => Promise<Uint8Array> | Uint8Array])[] = [
  ['rpm', 'Berkeley DB', () => fileOf('centos-bdb-libuuid', 'var/lib/rpm/Packages')],
  ['rpm', 'ndb', () => fileOf('sle15-bci-ndb', 'usr/lib/sysimage/rpm/Packages.db')],
  ['rpm', 'SQLite', () => fileOf('almalinux-9.2-sqlite', 'var/lib/rpm/rpmdb.sqlite')],
  ['dpkg', 'status', () => fileOf('debian-12.0', 'var/lib/dpkg/status')],
  ['apk', 'installed', () => fileOf('alpine-3.10.4', 'lib/apk/db/installed')],
  ['program', 'Go', () => elfOf([['.go.buildinfo', goBuildInfo('go1.21', 'mod\ta\tv1\ndep\tb\tv2')]])],
  ['program', 'old Go', () => oldGoProgram('go1.12', 'mod\ta\tv1')],
  [
    'program',
    'Rust',
    () => elfOf([['.dep-v0', new Uint8Array(deflateSync('{"packages":[{"name":"a","version":"1"}]}'))]]),
  ],
  ['java', 'jar', () => jar],
  ['python-egg', 'egg', () => zipOf([['EGG-INFO/PKG-INFO', 'Name: a\nVersion: 1\n']])],
  ['npm', 'package.json', () => text('{"name":"a","version":"1","license":["MIT"]}')],
  ['npm-lock', 'package-lock', () => text('{"packages":{"node_modules/a":{"version":"1"}}}')],
  ['yarn-lock', 'yarn.lock', () => text('"a@1":\n  version "1.0"\n')],
  [
    'pnpm-lock',
    'pnpm-lock',
    () =>
      text(
        "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      a:\n        version: 1.0.0\npackages:\n  a@1.0.0:\n    x: y\nsnapshots:\n  a@1.0.0: {}\n",
      ),
  ],
  ['sbom', 'CycloneDX', () => text('{"bomFormat":"CycloneDX","components":[{"purl":"pkg:npm/%40a/b@1?x=y#z"}]}')],
  ['sbom', 'SPDX', () => text('SPDXVersion: SPDX-2.3\nExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/a@1\n')],
  ['apk-repositories', 'repositories', () => text('https://x/alpine/edge/main\n')],
  ['composer', 'installed', () => text('{"packages":[{"name":"a/b","version":"1"}]}')],
  ['dotnet', 'deps', () => text('{"libraries":{"a/1":{"type":"package"}}}')],
  ['python', 'METADATA', () => text('Name: a\nVersion: 1\n')],
  ['gem', 'gemspec', () => text('s.name = "a"\ns.version = "1"\n')],
  ['os-release', 'os-release', () => text('ID=debian\nVERSION_ID="12"\n')],
]

/** Ways to damage bytes: some of them changed, a part cut out, the end cut off. */
const damage = fc.record({
  changes: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 12,
  }),
  nearStart: fc.array(fc.tuple(fc.nat(127), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  kept: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
})

function damaged(
  bytes: Uint8Array,
  { changes, nearStart, kept }: typeof damage extends fc.Arbitrary<infer T> ? T : never,
) {
  const copy = bytes.slice(0, Math.ceil(bytes.length * kept))
  for (const [where, value] of changes) copy[Math.floor(where * copy.length)] = value
  for (const [where, value] of nearStart) if (where < copy.length) copy[where] = value
  return copy
}

describe('a damaged file says what it can or why not, and nothing else happens', () => {
  for (const [kind, name, sample] of SAMPLES)
    test(`${kind}: ${name}`, async () => {
      const bytes = await sample()
      const tools = () => ({ inflater: new BudgetedInflater(LIMITS.inflatedBytes), limits: LIMITS })
      expect(readFile(kind, bytes, 'x', tools())?.unreadable).toBeUndefined()
      fc.assert(
        fc.property(damage, (how) => {
          try {
            readFile(kind, damaged(bytes, how), 'x', tools())
          } catch (error) {
            if (!isRegistryError(error, 'layer-too-large')) throw error
          }
        }),
        { numRuns: RUNS },
      )
    })
})

describe('a damaged layer is read or refused', () => {
  const files: readonly TarFile[] = [
    { path: 'a/', flag: '5' },
    paxOf({ path: `long/${'x'.repeat(300)}/package.json` }),
    { path: 'short', content: '{"name":"a","version":"1"}' },
    { path: '././@LongLink', flag: 'L', content: `${'y'.repeat(200)}/package.json\0` },
    { path: 'cut', content: '{"name":"b","version":"2"}' },
    { path: 'etc/os-release', flag: '2', link: '../usr/lib/os-release' },
    { path: 'app.jar', content: jar, mode: 0o755 },
    { path: 'a/.wh.b' },
  ]
  const plain = tarOf(files)
  for (const [how, bytes] of [
    ['plain', plain],
    ['gzip', new Uint8Array(gzipSync(plain))],
  ] as const)
    test(how, async () => {
      await fc.assert(
        fc.asyncProperty(damage, async (way) => {
          try {
            const facts = await analyseLayer(new Blob([damaged(bytes, way)]).stream(), {
              mediaType: OCI,
              limits: LIMITS,
              wanted: new Map(),
            })
            mergeLayers([{ digest: parseDigest(`sha256:${'0'.repeat(64)}`), facts }], 1)
          } catch (error) {
            if (!isRegistryError(error, 'layer-unreadable', 'layer-too-large')) throw error
          }
        }),
        { numRuns: RUNS },
      )
    })
})

describe('archives made to do harm', () => {
  const read = (bytes: Uint8Array<ArrayBuffer>, limits = LIMITS) =>
    analyseLayer(new Blob([bytes]).stream(), { mediaType: OCI, limits, wanted: new Map() })
  const big = (path: string, content: Uint8Array): TarFile => ({ path, content, mode: 0o755 })

  test('a layer that holds thousands of times its size', async () => {
    const bomb = new Uint8Array(gzipSync(tarOf([big('zeros', new Uint8Array(32 << 20))])))
    expect(bomb.length).toBeLessThan(64 << 10)
    await expect(read(bomb)).rejects.toThrow('it holds more than 16777216 bytes')
  })

  test('more entries than any image has', async () =>
    await expect(read(tarOf(Array.from({ length: 5_001 }, (_, n) => ({ path: `${n}` }))))).rejects.toThrow(
      'more than 5000 entries',
    ))

  test('a path without end, and an extension header without end', async () => {
    await expect(read(tarOf([paxOf({ path: 'x/'.repeat(3000) }), { path: 'a' }]))).rejects.toThrow(
      'a path of more than 4096 bytes',
    )
    await expect(read(tarOf([{ path: 'x', flag: 'x', content: new Uint8Array(2 << 20) }]))).rejects.toThrow(
      'more than a MiB',
    )
  })

  test('more to remember than any image has', async () => {
    const whiteouts = Array.from({ length: 4_000 }, (_, n) => ({
      path: `${'d/'.repeat(40)}${'n'.repeat(200)}${n}`.slice(0, 99).replace(/[^/]*$/, `.wh.${n}`),
    }))
    await expect(read(tarOf(whiteouts), { ...LIMITS, keptCharacters: 100_000 })).rejects.toThrow(
      'more than 100000 characters',
    )
  })

  test('paths and links that lead out', async () => {
    await expect(read(tarOf([{ path: '../../etc/passwd' }]))).rejects.toThrow('a path that leads out of it')
    await expect(read(tarOf([{ path: 'etc/os-release', flag: '1', link: '../x' }]))).rejects.toThrow(
      'a link that leads out of it',
    )
  })

  test('an entry that claims to be larger than the archive', async () =>
    await expect(read(tarOf([{ path: 'var/lib/rpm/Packages', content: 'x', statedBytes: 3 << 20 }]))).rejects.toThrow(
      'its archive is cut off',
    ))

  test('a database that is too large to be held', async () => {
    const { files } = await read(tarOf([{ path: 'var/lib/rpm/Packages', content: new Uint8Array(5 << 20) }]))
    expect(files).toEqual([
      ['var/lib/rpm/Packages', { unreadable: 'it is larger than 4194304 bytes', isDatabase: true }],
    ])
  })

  test('a jar that unpacks to itself many times over', async () => {
    const inner = zipOf([['zeros.class', new Uint8Array(1 << 20)]], 0)
    const many = zipOf(Array.from({ length: 20 }, (_, n) => [`${n}.jar`, inner] as const))
    await expect(read(tarOf([{ path: 'app.jar', content: many }]))).rejects.toThrow(
      'its archives hold more than 8388608 bytes',
    )
  })

  test('names that are those of every object', async () => {
    const lock =
      '{"packages":{"node_modules/__proto__":{"version":"1.0.0"},"node_modules/constructor":{"version":"2.0.0"}}}'
    const { files } = await read(
      tarOf([
        { path: '__proto__/package-lock.json', content: lock },
        { path: 'etc/os-release', content: '__proto__=x\nID=debian\n' },
      ]),
    )
    const facts = { files, removed: ['constructor'], opaque: ['__proto__'], links: [], plainPrograms: [] }
    const { inventory } = mergeLayers([{ digest: parseDigest(`sha256:${'0'.repeat(64)}`), facts }], 1)
    expect(inventory.packages.map(({ name }) => name)).toEqual(['__proto__', 'constructor'])
  })

  /** Each of these takes hours where an expression tries a run of spaces from each of its places. */
  const spaces = ' '.repeat(200_000)
  const slow: readonly (readonly [FileKind, string])[] = [
    ['os-release', `ID=${spaces}x${spaces}\u0000\n`],
    ['release', `release ${spaces}`],
    ['python', `Name:${spaces}x${spaces}\nVersion: ${spaces}`],
    ['gem', `s.name = Gem::Version.new${spaces}x s.version${spaces} s.licenses =${spaces}`],
    ['dpkg', `Package: a\nVersion: 1\nSource: a${spaces}(${spaces}\nStatus:${spaces}`],
    ['yarn-lock', `a@1:\n  version "1.0"${spaces}x\n`],
    ['dpkg-files', `${'0'.repeat(32)} ${spaces}\n${'/'.repeat(200_000)}\n${'\n'.repeat(200_000)}`],
  ]
  for (const [kind, content] of slow)
    test(`runs of spaces where expressions look: ${kind}`, () => {
      expect(readFile(kind, text(content), 'x', { inflater: new BudgetedInflater(1), limits: LIMITS })).toBeDefined()
      const jarOf = zipOf([['META-INF/maven/a/b/pom.properties', `version=${spaces}x${spaces}\u0000`]])
      expect(
        readFile('java', jarOf, 'x.jar', { inflater: new BudgetedInflater(1 << 20), limits: LIMITS })?.packages,
      ).toEqual([])
    })
})
