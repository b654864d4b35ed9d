import { expect, test } from 'bun:test'
import { type PurlFacts, purlOf } from './purl.ts'

const debian = { id: 'debian', idLike: [], versionId: '12', release: '12.0' }
const alma = { id: 'almalinux', idLike: ['rhel'], versionId: '9.2' }

const CASES: readonly (readonly [PurlFacts, string])[] = [
  [{ type: 'npm', name: '@angular/core', version: '9.0.0' }, 'pkg:npm/%40angular/core@9.0.0'],
  [{ type: 'npm', name: 'qs', version: '6.5.1' }, 'pkg:npm/qs@6.5.1'],
  [{ type: 'pypi', name: 'Django_Rest', version: '1.0' }, 'pkg:pypi/django-rest@1.0'],
  [
    { type: 'golang', name: 'github.com/gorilla/mux', version: 'v1.8.0+incompatible' },
    'pkg:golang/github.com/gorilla/mux@v1.8.0%2Bincompatible',
  ],
  [{ type: 'golang', name: 'stdlib', version: '1.21.0' }, 'pkg:golang/stdlib@1.21.0'],
  [
    { type: 'maven', name: 'org.apache.logging.log4j:log4j-core', version: '2.14.1' },
    'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
  ],
  [{ type: 'gem', name: 'rack', version: '2.0.6' }, 'pkg:gem/rack@2.0.6'],
  [{ type: 'cargo', name: 'serde', version: '1.0.1' }, 'pkg:cargo/serde@1.0.1'],
  [{ type: 'composer', name: 'Monolog/Monolog', version: '1.0' }, 'pkg:composer/monolog/monolog@1.0'],
  [{ type: 'nuget', name: 'Newtonsoft.Json', version: '12.0.1' }, 'pkg:nuget/Newtonsoft.Json@12.0.1'],
]

for (const [facts, purl] of CASES) test(`purl of ${facts.type} ${facts.name}`, () => expect(purlOf(facts)).toBe(purl))

test('OS packages carry their distribution and architecture', () => {
  expect(purlOf({ type: 'deb', name: 'zlib1g', version: '1:1.2.13.dfsg-1', epoch: 1, arch: 'amd64' }, debian)).toBe(
    'pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64&distro=debian-12.0',
  )
})

test('the epoch of an rpm is a qualifier', () => {
  expect(purlOf({ type: 'rpm', name: 'openssl', version: '1:3.0.7-6.el9_2', epoch: 1, arch: 'x86_64' }, alma)).toBe(
    'pkg:rpm/almalinux/openssl@3.0.7-6.el9_2?arch=x86_64&distro=almalinux-9.2&epoch=1',
  )
})

test('broken surrogates and separators are encoded, never thrown at', () => {
  expect(purlOf({ type: 'gem', name: 'a\ud800@b?c', version: '' })).toBe('pkg:gem/a%EF%BF%BD%40b%3Fc')
})
