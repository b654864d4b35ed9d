import { describe, expect, test } from 'bun:test'
import type { Digest } from '../digest.ts'
import type { FoundPackage, OperatingSystem, PackageType } from '../inventory/package.ts'
import { canonicalEcosystem, ecosystemOf, lookupsOf } from './ecosystems.ts'
import { hitsOf } from './match.ts'
import { parseOsv } from './osv.ts'
import { fixedAbove, isAffected } from './ranges.ts'
import { urlOf } from './trackers.ts'

const record = (affected: object, members: object = {}) =>
  parseOsv({ id: 'X-1', modified: '2026-01-01T00:00:00Z', affected: [affected], ...members })
const affectedBy = (events: readonly object[], members: object = {}, ecosystem = 'npm') => {
  const [affected] = record({
    package: { ecosystem, name: 'a' },
    ranges: [{ type: 'SEMVER', events }],
    ...members,
  }).affected
  if (affected === undefined) throw new Error('It is about a package')
  return affected
}

describe('evaluation, after the OSV schema', () => {
  const cases: readonly (readonly [string, readonly object[], readonly string[], readonly string[]])[] = [
    ['introduced 0 alone is everything', [{ introduced: '0' }], ['0.0.1', '9.9.9'], []],
    [
      'fixed is not affected any more',
      [{ introduced: '1.0.0' }, { fixed: '1.2.0' }],
      ['1.0.0', '1.1.9'],
      ['0.9.0', '1.2.0'],
    ],
    ['last_affected is affected still', [{ introduced: '0' }, { last_affected: '1.2.0' }], ['1.2.0'], ['1.2.1']],
    [
      'several pieces, in any order',
      [{ fixed: '2.1.0' }, { introduced: '0' }, { introduced: '2.0.0' }, { fixed: '1.1.0' }],
      ['1.0.0', '2.0.5'],
      ['1.1.0', '1.9.0', '2.1.0'],
    ],
    ['a limit cuts', [{ introduced: '1.0.0' }, { limit: '2.0.0' }], ['1.5.0'], ['2.0.0', '3.0.0']],
    ['any of the limits', [{ introduced: '0' }, { limit: '1.0.0' }, { limit: '2.0.0' }], ['1.5.0'], ['2.0.0']],
    ['a limit of everything', [{ introduced: '0' }, { limit: '*' }], ['9.0.0'], []],
    ['a pre-release comes before', [{ introduced: '0' }, { fixed: '1.0.0' }], ['1.0.0-rc.1'], ['1.0.0']],
    ['no events are nothing', [], [], ['1.0.0']],
  ]
  test.each(cases)('%s', (_, events, affected, others) => {
    const entry = affectedBy(events)
    expect(affected.filter((version) => !isAffected(version, entry))).toEqual([])
    expect(others.filter((version) => isAffected(version, entry))).toEqual([])
  })

  test('versions count beside ranges, and PyPI spells them in several ways', () => {
    const entry = affectedBy([{ introduced: '2.0.0' }, { fixed: '2.1.0' }], { versions: ['1.0.0', 1.5] })
    expect(['1.0.0', '1.5', '2.0.0'].every((version) => isAffected(version, entry))).toBe(true)
    expect(isAffected('1.0', entry)).toBe(false)
    expect(isAffected('1.0', affectedBy([], { versions: ['1.0.0'] }, 'PyPI'))).toBe(true)
  })

  test('ranges of commits, and of ecosystems whose order is not known, affect nothing', () => {
    const git = record({
      package: { ecosystem: 'npm', name: 'a' },
      ranges: [{ type: 'GIT', repo: 'r', events: [{ introduced: '0' }] }],
    }).affected[0]
    expect(git && isAffected('1.0.0', git)).toBe(false)
    expect(isAffected('1.0.0', affectedBy([{ introduced: '0' }], {}, 'Nowhere'))).toBe(false)
    expect(isAffected('1.0.0', affectedBy([{ introduced: '0' }], { versions: ['1.0.0'] }, 'Nowhere'))).toBe(true)
  })

  test('the fix is that of the branch which the version is in', () => {
    const entry = affectedBy([{ introduced: '0' }, { fixed: '1.10.0' }, { introduced: '2.0.0' }, { fixed: '2.1.0' }])
    expect(fixedAbove('1.0.0', entry)).toEqual(['1.10.0'])
    expect(fixedAbove('2.0.0', entry)).toEqual(['2.1.0'])
    const listed = affectedBy([{ introduced: '1.5.0' }, { fixed: '1.6.0' }], { versions: ['1.0.0'] })
    expect(fixedAbove('1.0.0', listed)).toEqual(['1.6.0'])
    expect(fixedAbove('1.5.0', affectedBy([{ introduced: '0' }, { last_affected: '2.0.0' }]))).toEqual([])
  })
})

describe('records as they are', () => {
  test('the long lists of distributions go where ranges say the same', () => {
    expect(affectedBy([{ introduced: '0' }], { versions: ['1'] }, 'Debian:12').versions).toEqual([])
    expect(affectedBy([{ introduced: '0' }], { versions: ['1'] }, 'PyPI').versions).toEqual(['1'])
  })

  test('severities come as vectors, as words of several members, and at the head of a summary', () => {
    const word = (members: object, affected: object = {}) => {
      const one = record({ package: { ecosystem: 'Debian:12', name: 'a' }, ...affected }, members)
      return [...(one.affected[0]?.severity ?? []), ...one.severity].find(({ kind }) => kind === 'word')?.value
    }
    expect(word({ summary: 'Important: curl security update' })).toBe('Important')
    expect(word({ summary: 'Critical thinking' })).toBeUndefined()
    expect(word({ severity: [{ type: 'Ubuntu', score: 'negligible' }] })).toBe('negligible')
    expect(word({}, { ecosystem_specific: { urgency: 'unimportant' } })).toBe('unimportant')
    expect(word({ database_specific: { severity: 'MODERATE' } })).toBe('MODERATE')
    expect(word({ database_specific: 'a text' })).toBeUndefined()
  })

  test('what is malformed beside id and packages is left out', () => {
    const one = parseOsv({
      id: 'X-1',
      modified: '2026-01-01T00:00:00Z',
      published: '0001-01-01T00:00:00Z',
      aliases: ['CVE-1', 7, null],
      references: [{ type: 'WEB', url: 'javascript:alert(1)' }, 'x', { url: 'https://example.com' }],
      severity: 'high',
      affected: [
        null,
        { package: null },
        { package: { ecosystem: 'npm', name: 'a' }, ranges: [{ type: 'X' }], versions: 'all' },
      ],
    })
    expect(one).toMatchObject({
      publishedAt: undefined,
      aliases: ['CVE-1'],
      severity: [],
      references: [{ type: 'WEB', url: 'https://example.com' }],
      affected: [{ name: 'a', ranges: [], versions: [] }],
    })
  })

  test.each([
    [null],
    [[]],
    [{}],
    [{ id: 'X' }],
    [{ id: 7, modified: '2026-01-01T00:00:00Z' }],
    [{ id: 'X', modified: 'now' }],
  ])('%p is no record', (value) => {
    expect(() => parseOsv(value)).toThrow(expect.objectContaining({ name: 'NoOsvRecord' }))
  })
})

describe('distributions', () => {
  test.each([
    [{ id: 'debian', versionId: '12' }, 'Debian:12'],
    [{ id: 'debian', versionId: '12.0' }, 'Debian:12'],
    [{ id: 'debian' }, undefined],
    [{ id: 'ubuntu', versionId: '22.04' }, 'Ubuntu:22.04'],
    [{ id: 'alpine', versionId: '3.20.1' }, 'Alpine:v3.20'],
    [{ id: 'alpine', versionId: '3.21.0_alpha', prettyName: 'Alpine Linux edge' }, 'Alpine:edge'],
    [{ id: 'almalinux', versionId: '9.2' }, 'AlmaLinux:9'],
    [{ id: 'rocky', versionId: '9.3' }, 'Rocky Linux:9'],
    [{ id: 'rhel', versionId: '9.4' }, 'Red Hat:enterprise_linux:9'],
    [{ id: 'centos', versionId: '7' }, 'Red Hat:enterprise_linux:7'],
    [{ id: 'centos', versionId: '9', prettyName: 'CentOS Stream 9' }, undefined],
    [{ id: 'sles', versionId: '15.4' }, 'SUSE:15 SP4'],
    [{ id: 'opensuse-leap', versionId: '15.5' }, 'openSUSE:Leap 15.5'],
    [{ id: 'opensuse-tumbleweed', versionId: '20260101' }, 'openSUSE:Tumbleweed'],
    [{ id: 'openeuler', versionId: '24.03', prettyName: 'openEuler 24.03 (LTS)' }, 'openEuler:24.03-LTS'],
    [{ id: 'amzn', versionId: '2023' }, 'Amazon Linux:2023'],
    [{ id: 'wolfi', versionId: '20230201' }, 'Wolfi'],
    [{ id: 'somebodys', versionId: '1' }, undefined],
  ] as const)('%p → %p', (os, ecosystem) => {
    const types = ['deb', 'apk', 'rpm'] as const
    const known = types.map((type) => ecosystemOf(type, { idLike: [], ...os })).filter((one) => one !== undefined)
    expect(known).toEqual(ecosystem === undefined ? [] : [ecosystem])
  })

  test('packages of another package manager are not looked up among those of the distribution', () => {
    const alpine: OperatingSystem = { id: 'alpine', idLike: [], versionId: '3.20.1' }
    expect(ecosystemOf('deb', alpine)).toBeUndefined()
    expect(ecosystemOf('rpm', osOf('debian', '12'))).toBeUndefined()
    expect(ecosystemOf('npm', alpine)).toBe('npm')
  })

  test.each([
    ['Ubuntu:22.04:LTS', 'Ubuntu:22.04'],
    ['Ubuntu:Pro:22.04:LTS', 'Ubuntu:Pro:22.04'],
    ['Red Hat:enterprise_linux:9::baseos', 'Red Hat:enterprise_linux:9'],
    ['SUSE:Linux Enterprise Server 15 SP4', 'SUSE:15 SP4'],
    ['SUSE:Linux Enterprise Module for Basesystem 15 SP4', 'SUSE:15 SP4'],
    ['SUSE:Linux Enterprise Server 15 SP4-LTSS', 'SUSE:15 SP4'],
    ['Debian:12', 'Debian:12'],
  ])('%s is %s', (stated, canonical) => {
    expect(canonicalEcosystem(stated)).toBe(canonical)
  })
})

function found(type: PackageType, name: string, version: string, more: Partial<FoundPackage> = {}): FoundPackage {
  const layerDigest = `sha256:${'0'.repeat(64)}` as Digest
  return { type, name, version, layerDigest, licences: [], purl: '', ...more }
}

const osOf = (id: string, versionId: string): OperatingSystem => ({ id, idLike: [], versionId })

test('packages are looked up by the names that their databases use', () => {
  const source = { sourceName: 'openssl', sourceVersion: '3.0.9-1' }
  const names = (one: FoundPackage, os?: OperatingSystem) =>
    lookupsOf(one, os).map(({ name, version }) => `${name} ${version}`)
  expect(names(found('deb', 'libssl3', '3.0.9-1+b1', source), osOf('debian', '12'))).toEqual(['openssl 3.0.9-1'])
  expect(names(found('rpm', 'openssl-libs', '1:3', source), osOf('almalinux', '9'))).toEqual(['openssl-libs 1:3'])
  expect(names(found('rpm', 'openssl-libs', '1:3', source), osOf('rhel', '9'))).toEqual([
    'openssl-libs 1:3',
    'openssl 3.0.9-1',
  ])
  expect(names(found('pypi', 'Foo_Bar.baz', '1'))).toEqual(['foo-bar-baz 1'])
  expect(names(found('deb', 'libssl3', '3', source))).toEqual([])
})

test('packages of a module stream are compared with fixes of their stream alone', () => {
  const affected = (fixed: string, summary: string) =>
    parseOsv({
      id: 'ALSA-1',
      modified: '2026-01-01T00:00:00Z',
      summary,
      affected: [
        {
          package: { ecosystem: 'AlmaLinux:9', name: 'nodejs' },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
        },
      ],
    }).affected
  const isHit = (one: FoundPackage, [entry]: ReturnType<typeof affected>) =>
    hitsOf([one], osOf('almalinux', '9'), () =>
      entry === undefined ? [] : [{ advisoryId: 'ALSA-1', affected: entry }],
    ).length > 0
  const modular = affected('1:18.20.1-1.module_el9.3.0+90', 'Important: nodejs:18 security update')
  const plain = affected('1:16.20.2-4.el9_3', 'Important: nodejs security update')
  const version = '1:16.20.1-1.module_el9.2.0+31'
  expect(isHit(found('rpm', 'nodejs', version, { moduleLabel: 'nodejs:16:9020:abc' }), modular)).toBe(false)
  expect(
    isHit(found('rpm', 'nodejs', '1:18.1-1.module_el9.2.0+31', { moduleLabel: 'nodejs:18:9020:abc' }), modular),
  ).toBe(true)
  expect(isHit(found('rpm', 'nodejs', '1:16.20.1-1.el9'), modular)).toBe(false)
  expect(isHit(found('rpm', 'nodejs', '1:16.20.1-1.el9'), plain)).toBe(true)
  expect(isHit(found('rpm', 'nodejs', version), plain)).toBe(false)
})

test('a package of which no version is known is compared with nothing', () => {
  expect(lookupsOf(found('golang', 'example.com/app', ''), undefined)).toEqual([])
})

test('every id has a page, whatever it begins with', () => {
  for (const prefix of ['GHSA', 'constructor', '__proto__', 'toString', ''])
    expect(urlOf(`${prefix}-1`)).toStartWith('https://')
})
