import { describe, expect, test } from 'bun:test'
import { findingOf } from '../../../test/support/finding.ts'
import { applyVex, parseVex } from './vex.ts'

const IMAGE = {
  identifiers: ['pkg:oci/app@sha256:abc?arch=amd64&repository_url=registry.example.com/team', 'sha256:abc'],
}
const LIBSSL = 'pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12'

function document(...statements: readonly object[]): object {
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': 'https://example.com/vex-1',
    author: 'Team',
    timestamp: '2026-01-01T00:00:00Z',
    version: 1,
    statements,
  }
}

const notAffected = (changes: object = {}) => ({
  vulnerability: { name: 'CVE-2026-1' },
  products: [{ '@id': LIBSSL }],
  status: 'not_affected',
  justification: 'vulnerable_code_not_in_execute_path',
  ...changes,
})

function statusAfter(...statements: readonly object[]) {
  return applyVex([findingOf()], [{ document: parseVex(document(...statements)), subject: IMAGE }])[0]?.status
}

test('a finding that the supplier says does not concern the product is set aside, with the reason kept', () => {
  expect(statusAfter(notAffected({ impact_statement: 'We never call it.' }))).toEqual({
    kind: 'suppressed',
    by: 'vex',
    source: 'https://example.com/vex-1',
    reason: 'not_affected: vulnerable_code_not_in_execute_path: We never call it.',
  })
})

const ACTIVE = { kind: 'active' } as const

describe('a statement concerns', () => {
  test.each([
    ['the package with all that is said', { products: [{ '@id': LIBSSL }] }, true],
    ['the package in any version', { products: [{ '@id': 'pkg:deb/debian/libssl3' }] }, true],
    ['the package of an architecture', { products: [{ '@id': 'pkg:deb/debian/libssl3?arch=amd64' }] }, true],
    ['another architecture', { products: [{ '@id': 'pkg:deb/debian/libssl3?arch=arm64' }] }, false],
    ['another version', { products: [{ '@id': 'pkg:deb/debian/libssl3@3.0.8' }] }, false],
    ['another package', { products: [{ '@id': 'pkg:deb/debian/libssl' }] }, false],
    ['a product by its identifiers', { products: [{ '@id': 'x', identifiers: { purl: LIBSSL } }] }, true],
    ['a product as version 0.0.1 writes it', { products: [LIBSSL], vulnerability: 'CVE-2026-1' }, true],
    ['the whole image by its digest', { products: [{ '@id': 'sha256:abc' }] }, true],
    ['the whole image by its package URL', { products: [{ '@id': 'pkg:oci/app@sha256:abc' }] }, true],
    ['another image', { products: [{ '@id': 'pkg:oci/app@sha256:def' }] }, false],
    [
      'a part of the image',
      { products: [{ '@id': 'sha256:abc', subcomponents: [{ '@id': 'pkg:deb/debian/libssl3' }] }] },
      true,
    ],
    [
      'another part of the image',
      { products: [{ '@id': 'sha256:abc', subcomponents: [{ '@id': 'pkg:deb/debian/zlib1g' }] }] },
      false,
    ],
    ['whatever it is attached to', { products: undefined }, true],
    ['an alias of the flaw', { vulnerability: { name: 'GHSA-x', aliases: ['DEBIAN-CVE-2026-1'] } }, true],
    ['a part of the package', { products: [{ '@id': 'pkg:deb/debian/libssl3#usr/lib' }] }, false],
    ['the image for its architecture', { products: [{ '@id': 'pkg:oci/app?arch=amd64' }] }, true],
    ['the image for another architecture', { products: [{ '@id': 'pkg:oci/app?arch=arm64' }] }, false],
    ['the image in another registry', { products: [{ '@id': 'pkg:oci/app?repository_url=x.example.com' }] }, false],
    ['another flaw', { vulnerability: { name: 'CVE-2026-2' } }, false],
  ] as const)('%s: %p', (_, changes, isMeant) => {
    expect(statusAfter(notAffected(changes))?.kind).toBe(isMeant ? 'suppressed' : 'active')
  })
})

test('of several statements the latest counts, whatever their order', () => {
  const fixed = { ...notAffected(), status: 'fixed', timestamp: '2026-02-01T00:00:00Z' }
  const affected = { ...notAffected(), status: 'affected', timestamp: '2026-03-01T00:00:00Z' }
  expect(statusAfter(affected, fixed, notAffected())).toEqual(ACTIVE)
  expect(statusAfter(fixed, notAffected())).toMatchObject({ reason: 'fixed: vulnerable_code_not_in_execute_path' })
  expect(statusAfter({ ...notAffected(), status: 'under_investigation' })).toEqual(ACTIVE)
  // Of one moment: what sets nothing aside.
  expect(statusAfter(notAffected(), { ...notAffected(), status: 'affected' })).toEqual(ACTIVE)
})

test.each([
  ['no object', null],
  ['another context', { ...document(), '@context': 'https://openvex.dev.example.com/ns' }],
  ['no id', { ...document(), '@id': undefined }],
  ['an unknown status', document(notAffected({ status: 'fine' }))],
  ['no flaw', document(notAffected({ vulnerability: {} }))],
  ['no reason for what is not affected', document(notAffected({ justification: undefined }))],
  ['a product without identifier', document(notAffected({ products: [{}] }))],
  ['no moment', { ...document(notAffected()), timestamp: 'soon' }],
])('%s is no OpenVEX document', (_, value) => {
  expect(() => parseVex(value)).toThrow(expect.objectContaining({ name: 'NoVexDocument' }))
})
