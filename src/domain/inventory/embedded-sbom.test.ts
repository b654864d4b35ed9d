import { describe, expect, test } from 'bun:test'
import { parseEmbeddedSbom } from './embedded-sbom.ts'
import { MalformedFile } from './malformed-file.ts'
import { packageOfPurl } from './purl-package.ts'

const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value, undefined, 2))
const named = (value: unknown) =>
  parseEmbeddedSbom(bytes(value))?.map(({ type, name, version }) => `${type} ${name} ${version}`)

const purlReference = (referenceLocator: string) => ({
  referenceCategory: 'PACKAGE-MANAGER',
  referenceType: 'purl',
  referenceLocator,
})

describe('an SBOM in an image', () => {
  test('SPDX as Bitnami writes it: components with a package URL', () => {
    const cpe = { referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:*:a:b:1:*' }
    expect(
      named({
        SPDXID: 'SPDXRef-DOCUMENT',
        spdxVersion: 'SPDX-2.3',
        packages: [
          { name: 'PostgreSQL', externalRefs: [cpe, purlReference('pkg:bitnami/postgresql@15.3.0?arch=amd64')] },
          { name: 'agent', externalRefs: [purlReference('pkg:maven/co.elastic.apm/apm-agent@1.36.0')] },
          { name: 'nameless', versionInfo: '1' },
        ],
      }),
    ).toEqual(['bitnami postgresql 15.3.0', 'maven co.elastic.apm:apm-agent 1.36.0'])
  })

  test('SPDX as tags and values', () =>
    expect(
      named(
        'SPDXVersion: SPDX-2.3\nPackageName: qs\nExternalRef: PACKAGE-MANAGER purl pkg:npm/qs@6.5.1\nPackageName: x\n',
      ),
    ).toEqual(['npm qs 6.5.1']))

  test('CycloneDX: also components inside of components', () =>
    expect(
      named({
        bomFormat: 'CycloneDX',
        specVersion: '1.5',
        components: [
          { name: 'a', purl: 'pkg:npm/%40angular/core@9.0.0', components: [{ purl: 'pkg:pypi/Django@2.2' }] },
          { name: 'file', type: 'file' },
        ],
      }),
    ).toEqual(['npm @angular/core 9.0.0', 'pypi Django 2.2']))

  test('what only has the name of one is none', () => {
    for (const other of ['{"a": 1}', '{ not json', 'ChemDraw', '', '[]', '<html/>'])
      expect(parseEmbeddedSbom(bytes(other))).toBeUndefined()
  })

  test('one that is cut off, too deep, or in XML says so', () => {
    const deep = (n: number): object => (n === 0 ? {} : { components: [deep(n - 1)] })
    for (const broken of [
      '{"bomFormat":"CycloneDX","components":[',
      '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4"/>',
      { bomFormat: 'CycloneDX', ...deep(40) },
    ])
      expect(() => parseEmbeddedSbom(bytes(broken))).toThrow(MalformedFile)
  })
})

describe('a package URL', () => {
  const whole = (purl: string) => {
    const found = packageOfPurl(purl)
    return found && { ...found }
  }

  test('of a distribution has a source, an architecture and perhaps an epoch', () => {
    expect(whole('pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&upstream=openssl&distro=debian-12')).toEqual({
      type: 'deb',
      name: 'libssl3',
      version: '3.0.9-1',
      sourceName: 'openssl',
      sourceVersion: '3.0.9-1',
      arch: 'amd64',
    })
    expect(whole('pkg:rpm/rhel/vim-minimal@8.2-20.el9?epoch=2')).toMatchObject({ version: '2:8.2-20.el9' })
    expect(whole('pkg:deb/debian/gcc-12-base@12.2.0-14?upstream=gcc-12@12.2.0-13')).toMatchObject({
      sourceVersion: '12.2.0-13',
    })
  })

  test.each([
    ['pkg:golang/github.com/gin-gonic/gin@v1.8.0#sub', 'github.com/gin-gonic/gin', 'v1.8.0'],
    ['pkg:composer/symfony/http-kernel@v4.4.12', 'symfony/http-kernel', 'v4.4.12'],
    ['pkg:nuget/Newtonsoft.Json@9.0.1', 'Newtonsoft.Json', '9.0.1'],
    ['pkg:gem/rack@2.0.6?platform=ruby', 'rack', '2.0.6'],
    ['pkg:cargo/time@0.1.40', 'time', '0.1.40'],
    ['pkg:npm/a@1.0.0%2Bbuild', 'a', '1.0.0+build'],
  ])('%s', (purl, name, version) => expect(whole(purl)).toMatchObject({ name, version }))

  test.each([
    '',
    'pkg:',
    'pkg:npm',
    'pkg:npm/a',
    'pkg:npm/%40scope/a',
    'pkg:npm/@scope/a',
    'pkg:npm/a@',
    'cpe:2.3:a',
    'pkg:oci/a@1',
    'pkg:maven/a@1',
  ])('without a known type, a name and a version: %p is no package', (purl) => {
    const found = packageOfPurl(purl)
    expect(found).toBeUndefined()
  })
})
