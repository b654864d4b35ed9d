import { expect, test } from 'bun:test'
import { MalformedFile } from './malformed-file.ts'
import { parsePnpmLock } from './pnpm.ts'

const named = (text: string) =>
  parsePnpmLock(new TextEncoder().encode(text)).map(({ name, version }) => `${name} ${version}`)

test('version 5: slashes, peers behind an underscore, development marked', () => {
  const lock = `lockfileVersion: 5.3

specifiers:
  promise: ^8.1.0

dependencies:
  promise: 8.1.0

packages:

  /asap/2.0.6:
    resolution: {integrity: sha1-5QNH=}
    dev: false

  /@babel/helper/7.21.5_@babel+core@7.21.8:
    resolution: {integrity: sha1-x=}
    peerDependencies:
      '@babel/core': ^7.0.0

  /jest/29.0.0:
    resolution: {integrity: sha1-y=}
    dev: true

  registry.npmjs.org/lodash/4.17.10:
    resolution: {integrity: sha1-z=}

  github.com/zkochan/is-negative/2fa0531:
    resolution: {tarball: https://codeload.github.com/zkochan/is-negative}
    name: is-negative
    version: 2.0.1
`
  expect(named(lock)).toEqual(['asap 2.0.6', '@babel/helper 7.21.5', 'lodash 4.17.10', 'is-negative 2.0.1'])
})

test('version 6: at signs, peers in brackets', () => {
  const lock = `lockfileVersion: '6.0'

packages:

  /@babel/runtime@7.22.3(x@1.0.0)(@y/z@2.0.0):
    resolution: {integrity: sha512-a==}
    engines: {node: '>=6.9.0'}
    dependencies:
      regenerator-runtime: 0.13.11
      version: 9.9.9
    dev: false

  /mocha@10.0.0:
    hasBin: true
    dev: true

  file:lib:
    resolution: {directory: lib, type: directory}
    name: lib
`
  expect(named(lock)).toEqual(['@babel/runtime 7.22.3'])
})

test('version 9: what development alone needs follows from what needs what', () => {
  const lock = `---
lockfileVersion: '9.0'

importers:

  .:
    configDependencies: {}
    packageManagerDependencies:
      pnpm:
        specifier: 11.0.0
        version: 11.0.0
---
lockfileVersion: '9.0'

settings:
  autoInstallPeers: true

importers:

  .:
    dependencies:
      '@babel/core':
        specifier: 7.24.1
        version: 7.24.1
      debug:
        specifier: 4.3.4
        version: 4.3.4(supports-color@8.1.1)
      tarball:
        specifier: https://example.com/t/4.3.5
        version: https://example.com/t/4.3.5
      old-lodash:
        specifier: npm:lodash@3
        version: lodash@3.10.1
    devDependencies:
      jquery:
        specifier: 3.6.0
        version: 3.6.0

  sub:
    optionalDependencies:
      asap:
        specifier: 2.0.6
        version: 2.0.6

packages:

  '@babel/core@7.24.1':
    resolution: {integrity: sha512-2==}

  asap@2.0.6:
    resolution: {integrity: sha512-3==}

  debug@4.3.4:
    resolution: {integrity: sha512-4==}
    peerDependencies:
      supports-color: '*'

  jquery@3.6.0:
    resolution: {integrity: sha512-5==}

  lodash@3.10.1:
    resolution: {integrity: sha512-6==}

  ms@2.1.2:
    resolution: {integrity: sha512-7==}

  ms@2.0.0:
    resolution: {integrity: sha512-8==}

  supports-color@8.1.1:
    resolution: {integrity: sha512-9==}

  tarball@https://example.com/t/4.3.5:
    resolution: {tarball: https://example.com/t/4.3.5}
    version: 4.3.5

snapshots:

  '@babel/core@7.24.1': {}

  asap@2.0.6:
    optional: true

  debug@4.3.4(supports-color@8.1.1):
    dependencies:
      ms: 2.1.2
    optionalDependencies:
      supports-color: 8.1.1

  jquery@3.6.0:
    dependencies:
      ms: 2.0.0

  lodash@3.10.1: {}

  ms@2.0.0: {}

  ms@2.1.2:
    dependencies:
      debug: 4.3.4(supports-color@8.1.1)

  supports-color@8.1.1: {}

  tarball@https://example.com/t/4.3.5: {}
`
  expect(named(lock)).toEqual([
    '@babel/core 7.24.1',
    'asap 2.0.6',
    'debug 4.3.4',
    'lodash 3.10.1',
    'ms 2.1.2',
    'supports-color 8.1.1',
    'tarball 4.3.5',
  ])
})

test('without snapshots all packages count', () => {
  const lock = "lockfileVersion: '9.0'\nimporters:\n  .:\n    devDependencies: {}\npackages:\n  a@1.0.0:\n    x: y\n"
  expect(named(lock)).toEqual(['a 1.0.0'])
})

test('what is none says so', () => {
  for (const text of ['', 'a: b\n', '{}', 'lockfileVersion: x\n', '- a\n'])
    expect(() => named(text)).toThrow(MalformedFile)
})

test('runs of spaces and colons are read as fast as others', () => {
  const line = `  ${': '.repeat(100_000)}${' '.repeat(100_000)}x`
  expect(named(`lockfileVersion: 9\npackages:\n${line}\n  ${':'.repeat(200_000)}\n`)).toEqual([])
})
