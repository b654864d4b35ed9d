import { describe, expect, test } from 'bun:test'
import { parseDigest } from '../../src/domain/digest.ts'
import { INVENTORY_LIMITS } from '../../src/domain/inventory/limits.ts'
import { type AnalysedLayer, mergeLayers } from '../../src/domain/inventory/merge.ts'
import type { Inventory } from '../../src/domain/inventory/package.ts'
import type { FileKind } from '../../src/domain/inventory/selection.ts'
import { analyseLayer } from '../../src/workers/layer-analysis.ts'
import { type TarFile, tarOf } from '../support/tar-builder.ts'

const digestOf = (n: number) => parseDigest(`sha256:${n.toString(16).padStart(64, '0')}`)

async function analysed(layers: readonly (readonly TarFile[])[], wanted = new Map<string, FileKind>()) {
  const all: AnalysedLayer[] = []
  for (const [index, files] of layers.entries()) {
    const stream = new Blob([tarOf(files)]).stream()
    const request = { mediaType: 'application/vnd.oci.image.layer.v1.tar', limits: INVENTORY_LIMITS, wanted }
    all.push({ digest: digestOf(index + 1), facts: await analyseLayer(stream, request) })
  }
  return all
}

/** As the service does it: once more with what a link leads to. */
async function inventoryOf(...layers: readonly (readonly TarFile[])[]): Promise<Inventory> {
  const { inventory, wanted } = mergeLayers(await analysed(layers), 1)
  return wanted.size === 0 ? inventory : mergeLayers(await analysed(layers, new Map(wanted)), 1).inventory
}

/** Each package with the number of its layer. */
const found = ({ packages }: Inventory) =>
  packages.map(({ name, version, filePath, layerDigest }) =>
    [name, version, filePath, Number.parseInt(layerDigest.slice(7), 16)].filter((one) => one !== undefined).join(' '),
  )

const npm = (path: string, version: string): TarFile => ({
  path: `${path}/package.json`,
  content: JSON.stringify({ name: path.split('/').at(-1), version }),
})
const deb = (...names: readonly string[]) =>
  names.map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1\n`).join('\n')
const link = (path: string, target: string): TarFile => ({ path, flag: '2', link: target })
const hard = (path: string, target: string): TarFile => ({ path, flag: '1', link: target })

describe('what an upper layer takes away is gone', () => {
  test('by a whiteout of a file, and of a directory', async () => {
    const lower = [npm('a/node_modules/x', '1'), npm('a/node_modules/y', '1'), npm('b/node_modules/z', '1')]
    const upper = [{ path: 'a/node_modules/x/.wh.package.json' }, { path: '.wh.b' }]
    expect(found(await inventoryOf(lower, upper))).toEqual(['y 1 a/node_modules/y/package.json 1'])
  })

  test('by an opaque directory, but not what its own layer puts there', async () => {
    const lower = [npm('a/node_modules/x', '1')]
    const upper = [npm('a/node_modules/y', '2'), { path: 'a/node_modules/.wh..wh..opq' }]
    expect(found(await inventoryOf(lower, upper))).toEqual(['y 2 a/node_modules/y/package.json 2'])
  })

  test('by an opaque root', async () => {
    expect(found(await inventoryOf([npm('a', '1')], [{ path: '.wh..wh..opq' }]))).toEqual([])
  })

  test('by a file of the same path that says nothing', async () => {
    const lower = [npm('a', '1')]
    expect(found(await inventoryOf(lower, [{ path: 'a/package.json', content: '{}' }]))).toEqual([])
  })

  test('by a link or a file in the place of a directory', async () => {
    const lower = [npm('a/node_modules/x', '1')]
    expect(found(await inventoryOf(lower, [link('a/node_modules', '/elsewhere')]))).toEqual([])
  })

  test('and comes back when a later layer brings it', async () => {
    const layers = [[npm('a', '1')], [{ path: '.wh.a' }], [npm('a', '1')]]
    expect(found(await inventoryOf(...layers))).toEqual(['a 1 a/package.json 3'])
  })
})

describe('the layer of a package', () => {
  test('is the one that has brought it as it is', async () => {
    const first = { path: 'var/lib/dpkg/status', content: deb('bash', 'zlib1g') }
    const second = { path: 'var/lib/dpkg/status', content: deb('bash', 'curl') }
    expect(found(await inventoryOf([first], [], [second]))).toEqual(['bash 1 1', 'curl 1 3'])
  })

  test('stays when a layer writes the same again', async () => {
    expect(found(await inventoryOf([npm('a', '1')], [npm('a', '1')]))).toEqual(['a 1 a/package.json 1'])
  })
})

describe('links', () => {
  const release = { path: 'usr/lib/os-release', content: 'ID=wolfi\nVERSION_ID=2023\n' }

  test('of os-release, with and without a way through the root', async () => {
    for (const target of ['../usr/lib/os-release', '/usr/lib/os-release'])
      expect((await inventoryOf([link('etc/os-release', target)], [release])).os?.id).toBe('wolfi')
  })

  test('a directory that is a link: files below it lie where it leads', async () => {
    const lower = [link('lib', 'usr/lib')]
    const middle = [{ path: 'lib/apk/db/installed', content: 'P:a\nV:1\n\n' }]
    const upper = [{ path: 'usr/lib/apk/db/installed', content: 'P:b\nV:2\n\n' }]
    expect(found(await inventoryOf(lower, middle, upper))).toEqual(['b 2 3'])
  })

  test('a package database that is a link to a file nobody would look for', async () => {
    const lower = [{ path: 'opt/state/packages', content: deb('bash') }]
    expect(found(await inventoryOf(lower, [link('var/lib/dpkg/status', '../../../opt/state/packages')]))).toEqual([
      'bash 1 1',
    ])
    expect(
      found(
        await inventoryOf(
          lower,
          [link('var/lib/dpkg', '/opt/dpkg')],
          [{ path: 'opt/dpkg/status', content: deb('curl') }],
        ),
      ),
    ).toEqual(['curl 1 3'])
  })

  test('a package database that is a hard link, in its layer and to a lower one', async () => {
    const file = { path: 'opt/state/packages', content: deb('bash') }
    expect(found(await inventoryOf([file, hard('var/lib/dpkg/status', 'opt/state/packages')]))).toEqual(['bash 1 1'])
    expect(found(await inventoryOf([file], [hard('var/lib/dpkg/status', 'opt/state/packages')]))).toEqual(['bash 1 1'])
  })

  test('that go round in a circle, or nowhere, say nothing', async () => {
    const circle = [link('etc/os-release', 'b'), link('etc/b', 'os-release'), link('var/lib/dpkg', '/var/lib/dpkg')]
    const { os, packages } = await inventoryOf(circle, [link('lib/apk/db/installed', '/nowhere')])
    expect({ os, packages }).toEqual({ os: undefined, packages: [] })
  })
})

describe('what the OS package manager put there is its own', () => {
  const six = { path: 'usr/lib/python3/dist-packages/six-1.16.0.egg-info', content: 'Name: six\nVersion: 1.16.0\n' }
  const mine = {
    path: 'usr/local/lib/python3/site-packages/six-1.11.dist-info/METADATA',
    content: 'Name: six\nVersion: 1.11\n',
  }

  test('by the list of dpkg', async () => {
    const base = [
      { path: 'var/lib/dpkg/status', content: deb('python3-six') },
      { path: 'var/lib/dpkg/info/python3-six.list', content: `/.\n/${six.path}\n` },
    ]
    expect(found(await inventoryOf([...base, six], [mine]))).toEqual(['python3-six 1 1', `six 1.11 ${mine.path} 2`])
  })

  test('by the database of apk, through a directory that is a link', async () => {
    const installed = 'P:py3-six\nV:1\nF:lib/python3/dist-packages\nR:six-1.16.0.egg-info\n\n'
    const files = [link('lib', 'usr/lib'), { path: 'usr/lib/apk/db/installed', content: installed }, six]
    expect(found(await inventoryOf(files))).toEqual(['py3-six 1 1'])
  })
})

describe('lists of what would be installed', () => {
  const lock = {
    path: 'app/package-lock.json',
    content: JSON.stringify({ packages: { 'node_modules/qs': { version: '6.5.1' } } }),
  }
  test('count where nothing is installed', async () =>
    expect(found(await inventoryOf([lock]))).toEqual(['qs 6.5.1 app/package-lock.json 1']))
  test('and not where something is', async () =>
    expect(found(await inventoryOf([lock], [npm('app/node_modules/qs', '6.5.3')]))).toEqual([
      'qs 6.5.3 app/node_modules/qs/package.json 2',
    ]))
})

describe('operating systems', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, Partial<NonNullable<Inventory['os']>>])[] =
    [
      [
        'Amazon Linux',
        { 'etc/os-release': 'ID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n' },
        { id: 'amzn', versionId: '2023', idLike: ['fedora'] },
      ],
      [
        'Ubuntu',
        {
          'etc/os-release': "ID=ubuntu\nVERSION_ID='22.04'\nVERSION_CODENAME=jammy\n",
          'etc/debian_version': 'bookworm/sid',
        },
        { id: 'ubuntu', release: '22.04', codename: 'jammy' },
      ],
      [
        'Debian testing',
        { 'etc/os-release': 'ID=debian\nVERSION_CODENAME=trixie\n', 'etc/debian_version': 'trixie/sid' },
        { id: 'debian', release: undefined, codename: 'trixie' },
      ],
      [
        'RHEL',
        {
          'etc/os-release': 'ID="rhel"\nVERSION_ID="9.4"\nID_LIKE="fedora"\n',
          'etc/redhat-release': 'Red Hat Enterprise Linux release 9.4 (Plow)',
        },
        { id: 'rhel', release: '9.4' },
      ],
      [
        'CentOS 6, which has no os-release',
        { 'etc/centos-release': 'CentOS release 6.10 (Final)\n' },
        { id: 'centos', versionId: '6', release: '6.10' },
      ],
      [
        'Alpine edge',
        {
          'etc/os-release': 'ID=alpine\nVERSION_ID=3.21.0_alpha20240923\n',
          'etc/alpine-release': '3.21.0_alpha20240923',
        },
        { id: 'alpine', release: '3.21.0_alpha20240923' },
      ],
      [
        'Azure Linux',
        { 'etc/os-release': 'ID=azurelinux\nVERSION_ID="3.0"\nVARIANT_ID=x\n' },
        { id: 'azurelinux', variant: 'x' },
      ],
      ['Photon', { 'etc/os-release': 'ID=photon\nVERSION_ID=5.0\n' }, { id: 'photon', release: '5.0' }],
      [
        'openSUSE',
        { 'usr/lib/os-release': 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n' },
        { id: 'opensuse-leap', idLike: ['suse', 'opensuse'] },
      ],
    ]
  for (const [name, files, os] of cases)
    test(name, async () => {
      const layer = Object.entries(files).map(([path, content]) => ({ path, content }))
      expect((await inventoryOf(layer)).os).toMatchObject(os)
    })

  test('none, where nothing says one', async () => expect((await inventoryOf([npm('a', '1')])).os).toBeUndefined())
})

test('a file that cannot be read is noted as long as it is there', async () => {
  const broken = { path: 'app/package.json', content: '{' }
  expect((await inventoryOf([broken])).notes).toEqual([
    { layerDigest: digestOf(1), path: 'app/package.json', reason: 'it is not valid JSON' },
  ])
  expect((await inventoryOf([broken], [{ path: '.wh.app' }])).notes).toEqual([])
})

test('a package database that cannot be read fails, unless an upper layer has replaced it', async () => {
  const broken = { path: 'var/lib/rpm/Packages.db', content: 'not rpm' }
  await expect(inventoryOf([broken])).rejects.toThrow('The package database var/lib/rpm/Packages.db cannot be read')
  expect(found(await inventoryOf([broken], [{ path: 'var/lib/rpm/Packages.db' }]))).toEqual([])
})
