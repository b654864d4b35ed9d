import { describe, expect, test } from 'bun:test'
import { deflateSync } from 'node:zlib'
import type { FileFacts } from '../../src/domain/inventory/layer-facts.ts'
import { INVENTORY_LIMITS } from '../../src/domain/inventory/limits.ts'
import { readFile } from '../../src/domain/inventory/read-file.ts'
import { type FileKind, kindOf } from '../../src/domain/inventory/selection.ts'
import { BudgetedInflater } from '../../src/lib/inflater.ts'
import { Scratch } from '../../src/lib/scratch.ts'
import { LargeProgram } from '../../src/workers/large-program.ts'
import { elfOf, goBuildInfo, oldGoProgram } from '../support/elf-builder.ts'
import { zipOf } from '../support/zip-builder.ts'

const bytesOf = (content: string | Uint8Array) =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content

function read(path: string, content: string | Uint8Array, kind: FileKind | undefined = kindOf(path)): FileFacts {
  if (kind === undefined) throw new Error(`${path} is of no interest`)
  const tools = { inflater: new BudgetedInflater(64 << 20), limits: INVENTORY_LIMITS }
  return readFile(kind, bytesOf(content), path, tools) ?? {}
}

const named = ({ packages = [] }: FileFacts) => packages.map(({ name, version }) => `${name} ${version}`)

describe('which files are read', () => {
  const kinds: Readonly<Record<string, FileKind | undefined>> = {
    'etc/os-release': 'os-release',
    'var/lib/dpkg/status': 'dpkg',
    'var/lib/dpkg/status-old': undefined,
    'var/lib/dpkg/status.d/zlib1g': 'dpkg',
    'var/lib/dpkg/status.d/zlib1g.md5sums': 'dpkg-files',
    'var/lib/dpkg/info/bash.list': 'dpkg-files',
    'var/lib/dpkg/info/bash.md5sums': undefined,
    'lib/apk/db/installed': 'apk',
    'usr/lib/apk/db/installed': 'apk',
    'usr/lib/sysimage/rpm/Packages.db': 'rpm',
    'app/node_modules/qs/package.json': 'npm',
    'app/node_modules/@angular/core/package.json': 'npm',
    'app/node_modules/qs/lib/package.json': undefined,
    'app/node_modules/qs/dist/esm/package.json': undefined,
    'app/package-lock.json': 'npm-lock',
    'app/node_modules/qs/package-lock.json': undefined,
    'usr/lib/python3/dist-packages/six-1.16.0.egg-info': 'python',
    'x/foo.egg-info/PKG-INFO': 'python',
    'x/PKG-INFO': undefined,
    'x/foo-1.0-py3.egg': 'python-egg',
    'opt/app.war': 'java',
    'g/specifications/default/json-2.6.gemspec': 'gem',
    'src/mine.gemspec': undefined,
    'app/vendor/composer/installed.json': 'composer',
    'app/app.deps.json': 'dotnet',
    'app/pnpm-lock.yaml': 'pnpm-lock',
    'app/node_modules/qs/pnpm-lock.yaml': undefined,
    'var/lib/rpm/rpmdb.sqlite-wal': 'rpm-log',
    'opt/bitnami/nginx/.spdx-nginx.spdx': 'sbom',
    'usr/share/app.cdx.json': 'sbom',
    'usr/share/app.spdx.json': 'sbom',
    'etc/apk/repositories': 'apk-repositories',
    'usr/bin/thing': undefined,
  }
  for (const [path, kind] of Object.entries(kinds)) test(path, () => expect(kindOf(path)).toBe(kind))
})

describe('dpkg', () => {
  test('counts what is installed, with sources and their versions', () => {
    const status = [
      'Package: libpam0g\nStatus: install ok installed\nArchitecture: amd64\nSource: pam\nVersion: 1.5.2-6\nDescription: a\n more: Version: 9\n .',
      'Package: bsdutils\nStatus: hold ok installed\nVersion: 1:2.38.1-5\nSource: util-linux (2.38.1-5)\nArchitecture: amd64',
      'Package: gone\nStatus: deinstall ok config-files\nVersion: 1',
      'Package: broken\nStatus: install ok installed',
    ].join('\n\n')
    const { packages = [], isDatabase } = read('var/lib/dpkg/status', status)
    expect(isDatabase).toBe(true)
    expect(packages).toEqual([
      {
        type: 'deb',
        name: 'libpam0g',
        version: '1.5.2-6',
        epoch: undefined,
        sourceName: 'pam',
        sourceVersion: '1.5.2-6',
        arch: 'amd64',
      },
      {
        type: 'deb',
        name: 'bsdutils',
        version: '1:2.38.1-5',
        epoch: 1,
        sourceName: 'util-linux',
        sourceVersion: '2.38.1-5',
        arch: 'amd64',
      },
    ])
  })

  test('keeps of its file lists what could hold packages', () => {
    const list =
      '/.\n/usr\n/usr/bin\n/usr/bin/kubectl\n/usr/share/doc/x/copyright\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n/usr/lib/x.py'
    expect(read('var/lib/dpkg/info/x.list', list).owned).toEqual([
      'usr',
      'usr/bin',
      'usr/bin/kubectl',
      'usr/lib/python3/dist-packages/six-1.16.0.egg-info',
    ])
    const sums = `${'0'.repeat(32)}  usr/share/java/a.jar\n`
    expect(read('var/lib/dpkg/status.d/x.md5sums', sums).owned).toEqual(['usr/share/java/a.jar'])
  })
})

test('apk: origin, architecture, licence and files', () => {
  const installed =
    'C:Q1abc=\nP:ssl_client\nV:1.30.1-r3\nA:x86_64\nL:GPL-2.0\no:busybox\nF:usr/bin\nR:ssl_client\nF:etc\nR:conf\n\nP:musl\nV:1.1.22-r3\n'
  const { packages, owned } = read('lib/apk/db/installed', installed)
  expect(packages).toMatchObject([
    { name: 'ssl_client', version: '1.30.1-r3', sourceName: 'busybox', arch: 'x86_64', licences: ['GPL-2.0'] },
    { name: 'musl', version: '1.1.22-r3', sourceName: 'musl' },
  ])
  expect(owned).toEqual(['usr/bin/ssl_client'])
})

describe('npm', () => {
  test('licences in all forms', () => {
    const of = (licence: unknown) =>
      read('app/package.json', JSON.stringify({ name: 'a', version: '1.0.0', license: licence })).packages?.[0]
        ?.licences
    expect(of('MIT')).toEqual(['MIT'])
    expect(of({ type: 'ISC', url: 'x' })).toEqual(['ISC'])
    expect(of([{ type: 'MIT' }, 'BSD'])).toEqual(['MIT', 'BSD'])
    expect(of(7)).toBeUndefined()
  })

  test('no name or no version: no package; no JSON: unreadable', () => {
    expect(named(read('a/package.json', '{"type":"module"}'))).toEqual([])
    expect(named(read('a/package.json', '[1]'))).toEqual([])
    expect(read('a/package.json', '{').unreadable).toBe('it is not valid JSON')
  })

  test('lock files of all versions, without what only development needs', () => {
    const v3 = {
      packages: {
        '': { name: 'app', version: '1.0.0' },
        'node_modules/a': { version: '1.0.0' },
        'node_modules/a/node_modules/@s/b': { version: '2.0.0' },
        'node_modules/alias': { name: 'real', version: '3.0.0' },
        'node_modules/d': { version: '4.0.0', dev: true },
        'node_modules/l': { link: true },
        'node_modules/g': { version: 'git+ssh://x' },
      },
    }
    const facts = read('app/package-lock.json', JSON.stringify(v3))
    expect(named(facts)).toEqual(['a 1.0.0', '@s/b 2.0.0', 'real 3.0.0'])
    expect(facts.unless).toBe('app/node_modules')
    const v1 = {
      dependencies: {
        a: { version: '1.0.0', dependencies: { b: { version: '2.0.0' } } },
        d: { version: '1.0.0', dev: true },
      },
    }
    expect(named(read('package-lock.json', JSON.stringify(v1)))).toEqual(['a 1.0.0', 'b 2.0.0'])
    const yarn =
      '# yarn lockfile v1\n\n"@babel/code@^7.0", "@babel/code@^7.1":\n  version "7.1.2"\n  dependencies:\n    version "9"\n\nqs@~6.5:\n  version "6.5.3"\n'
    expect(named(read('yarn.lock', yarn))).toEqual(['@babel/code 7.1.2', 'qs 6.5.3'])
    const berry =
      '__metadata:\n  version: 6\n\n"qs@npm:^6":\n  version: 6.5.3\n  resolution: "qs@npm:6.5.3"\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n'
    expect(named(read('yarn.lock', berry))).toEqual(['qs 6.5.3'])
  })
})

describe('Python', () => {
  test('only the header counts', () => {
    const metadata =
      'Metadata-Version: 2.1\r\nName: PyYAML\r\nVersion: 5.3\r\nLicense: MIT\r\n\r\nName: other\r\nVersion: 9\r\n'
    const facts = read('x/PyYAML-5.3.dist-info/METADATA', metadata)
    expect(named(facts)).toEqual(['PyYAML 5.3'])
    expect(facts.packages?.[0]?.licences).toEqual(['MIT'])
  })

  test('eggs are archives', () => {
    const egg = zipOf([['EGG-INFO/PKG-INFO', 'Name: old\nVersion: 0.1\n']])
    expect(named(read('x/old-0.1-py3.egg', egg))).toEqual(['old 0.1'])
  })
})

describe('Go', () => {
  const modules = [
    'path\texample.com/app',
    'mod\texample.com/app\t(devel)\t',
    'dep\tgithub.com/a/b\tv1.2.3\th1:x=',
    'dep\tgithub.com/old/c\tv1.0.0',
    '=>\tgithub.com/new/c\tv1.0.1\th1:y=',
    'build\t-compiler=gc',
  ].join('\n')
  const expected = ['example.com/app ', 'github.com/a/b v1.2.3', 'github.com/new/c v1.0.1', 'stdlib 1.21.0']

  test('since 1.18 the modules stand with the build information', () => {
    const program = elfOf([
      ['.text', new Uint8Array(100)],
      ['.go.buildinfo', goBuildInfo('go1.21.0 X:boringcrypto', modules)],
    ])
    expect(named(read('app', program, 'program'))).toEqual(expected)
  })

  test('before that it points to them', () => {
    expect(named(read('app', oldGoProgram('go1.21.0', modules), 'program'))).toEqual(expected)
  })

  test('in a program that is too large to be held, they are found as it passes by', () => {
    const program = elfOf([
      ['.text', new Uint8Array(70_000)],
      ['.go.buildinfo', goBuildInfo('go1.21.0', modules)],
    ])
    for (const step of [7, 512, 100_000]) {
      const large = new LargeProgram(new Scratch())
      for (let at = 0; at < program.length; at += step) if (!large.write(program.subarray(at, at + step))) break
      expect(named(large.facts() ?? {})).toEqual(expected)
    }
  })

  test('in a program that is too large, what cannot be read is said to be there', () => {
    const facts = (program: Uint8Array) => {
      const large = new LargeProgram(new Scratch())
      large.write(program)
      return large.facts()
    }
    expect(facts(oldGoProgram('go1.12', modules))?.unreadable).toContain('before Go 1.18')
    expect(facts(elfOf([['.dep-v0', new Uint8Array(8)]]))?.unreadable).toContain('Rust')
    expect(facts(elfOf([['.text', new Uint8Array(70_000)]]))).toBeUndefined()
  })

  test('other programs have none', () =>
    expect(named(read('app', elfOf([['.text', new Uint8Array(8)]]), 'program'))).toEqual([]))
})

test('Rust: the crates of cargo-auditable, without those of the build', () => {
  const list = {
    packages: [
      { name: 'serde', version: '1.0.1', source: 'crates.io' },
      { name: 'cc', version: '1.0.0', kind: 'build' },
    ],
  }
  const program = elfOf([['.dep-v0', new Uint8Array(deflateSync(JSON.stringify(list)))]])
  expect(named(read('app', program, 'program'))).toEqual(['serde 1.0.1'])
})

describe('Java', () => {
  const pom = (name: string, version: string) =>
    [
      `META-INF/maven/org.x/${name}/pom.properties`,
      `#c\nversion=${version}\ngroupId=org.x\nartifactId=${name}\n`,
    ] as const

  test('archives in archives, each with the way to it', () => {
    const inner = zipOf([pom('inner', '2.0')])
    const war = zipOf([['WEB-INF/lib/inner.jar', inner], pom('web', '1.0')])
    const ear = zipOf([['web.war', war]], 0)
    const { packages = [], remarks } = read('opt/a.ear', ear)
    expect(packages.map(({ name, version, innerPath }) => [name, version, innerPath])).toEqual([
      ['org.x:inner', '2.0', 'web.war/WEB-INF/lib/inner.jar'],
      ['org.x:web', '1.0', 'web.war'],
    ])
    expect(remarks).toBeUndefined()
  })

  test('the manifest counts where it states the group', () => {
    const manifest =
      'Manifest-Version: 1.0\r\nImplementation-Vendor-Id: org.\r\n long\r\nImplementation-Version: 3.1\r\n'
    expect(named(read('thing-3.1.jar', zipOf([['META-INF/MANIFEST.MF', manifest]])))).toEqual(['org.long:thing 3.1'])
  })

  test('an archive that states nothing is said to be unknown', () => {
    const { packages, remarks } = read(
      'thing-3.1.jar',
      zipOf([
        ['A.class', 'x'],
        ['META-INF/MANIFEST.MF', 'A: 1\n'],
      ]),
    )
    expect(packages).toEqual([])
    expect(remarks).toEqual(['thing-3.1.jar: it does not state its Maven coordinates'])
  })

  test('a script before the archive does not hide it', () => {
    const jar = zipOf([pom('a', '1')])
    const withScript = new Uint8Array([...bytesOf('#!/bin/sh\nexec java -jar "$0"\n'), ...jar])
    expect(named(read('app.jar', withScript))).toEqual(['org.x:a 1'])
  })

  test('a bomb inside is left, and the rest counts', () => {
    const bomb = zipOf([
      ['META-INF/x', 'y'],
      ['zeros', new Uint8Array(1 << 20)],
    ])
    const jar = zipOf([
      ['lib/bomb.jar', bomb],
      ['META-INF/maven/a/b/pom.properties', new Uint8Array(4 << 20)],
      pom('a', '1'),
    ])
    const { remarks, ...facts } = read('app.jar', jar)
    expect(named(facts)).toEqual(['org.x:a 1'])
    expect(remarks).toEqual(['app.jar: META-INF/maven/a/b/pom.properties in it is too large'])
  })

  test('archives that lie too deep inside of one another are refused', () => {
    let jar = zipOf([pom('a', '1')])
    for (let depth = 0; depth < 9; depth++) jar = zipOf([['x.jar', jar]])
    expect(() => read('app.jar', jar)).toThrow('archives lie more than 8 deep inside of app.jar')
  })

  test('what all archives of a layer hold together is limited', () => {
    const inner = zipOf([['zeros', new Uint8Array(1 << 20)]], 0)
    const jar = zipOf(Array.from({ length: 10 }, (_, n) => [`${n}.jar`, inner] as const))
    const tools = { inflater: new BudgetedInflater(4 << 20), limits: INVENTORY_LIMITS }
    expect(() => readFile('java', jar, 'app.jar', tools)).toThrow('its archives hold more than 4194304 bytes')
  })
})

test('Ruby: what RubyGems writes, and the name of the file otherwise', () => {
  const written =
    'Gem::Specification.new do |s|\n  s.name = "rack".freeze\n  s.version = "2.0.6"\n  s.licenses = ["MIT".freeze]\nend\n'
  const facts = read('specifications/rack-2.0.6.gemspec', written)
  expect(named(facts)).toEqual(['rack 2.0.6'])
  expect(facts.packages?.[0]?.licences).toEqual(['MIT'])
  const byHand = 'Gem::Specification.new do |s|\n  s.name = NAME\n  s.version = VERSION\nend\n'
  expect(named(read('specifications/ffi-1.15.5-x86_64-linux.gemspec', byHand))).toEqual(['ffi 1.15.5'])
})

test('PHP: both forms of what is installed, and the lock', () => {
  const list = [{ name: 'a/b', version: 'v1.0', license: ['MIT'] }]
  expect(named(read('vendor/composer/installed.json', JSON.stringify(list)))).toEqual(['a/b v1.0'])
  expect(named(read('vendor/composer/installed.json', JSON.stringify({ packages: list, dev: true })))).toEqual([
    'a/b v1.0',
  ])
  const lock = read(
    'app/composer.lock',
    JSON.stringify({ packages: list, 'packages-dev': [{ name: 'c/d', version: '1' }] }),
  )
  expect(named(lock)).toEqual(['a/b v1.0'])
  expect(lock.unless).toBe('app/vendor/composer/installed.json')
})

test('.NET: packages, not projects', () => {
  const deps = { libraries: { 'Newtonsoft.Json/12.0.1': { type: 'package' }, 'mine/1.0.0': { type: 'project' } } }
  expect(named(read('app/a.deps.json', JSON.stringify(deps)))).toEqual(['Newtonsoft.Json 12.0.1'])
})
