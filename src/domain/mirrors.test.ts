import { describe, expect, test } from 'bun:test'
import { isLocalName, mirroredName, originalOf } from './mirrors.ts'
import { parseRegion, parseRegistryId } from './names.ts'
import type { PullThroughRule } from './pull-through.ts'

const registry = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }
const at = new Date(0)
const rule = (prefix: string, upstreamUrl: string, upstreamPrefix?: string): PullThroughRule => ({
  registry,
  prefix,
  upstreamUrl,
  upstreamPrefix,
  createdAt: at,
  updatedAt: at,
})

describe('the name of an image here', () => {
  const rules = [
    rule('hub', 'registry-1.docker.io'),
    rule('ours/', 'registry-1.docker.io', 'our-team'),
    rule('quay', 'https://quay.io'),
    rule('near', 'http://127.0.0.1:5000'),
    rule('quay/other', 'ghcr.io'),
  ]
  test.each([
    ['docker.io', 'library/nginx', 'hub/library/nginx'],
    ['index.docker.io', 'library/nginx', 'hub/library/nginx'],
    ['docker.io', 'our-team/app', 'ours/app'],
    ['quay.io', 'prometheus/busybox', 'quay/prometheus/busybox'],
    ['127.0.0.1:5000', 'app', 'near/app'],
    ['ghcr.io', 'app', 'quay/other/app'],
  ])('of %s %s is %p', (host, name, cached) => {
    expect(mirroredName(rules, originalOf(host), name) as string).toBe(cached)
  })

  test.each([
    ['of a registry that no rule is for', 'gcr.io', 'app'],
    ['under which another rule brings another image', 'quay.io', 'other/app'],
    ['that cannot be one here', 'quay.io', 'UPPER'],
  ])('%s: there is none', (_, host, name) => {
    expect(mirroredName(rules, originalOf(host), name)).toBeUndefined()
  })

  test('is the same under ROOT', () => {
    expect(mirroredName([rule('ROOT', 'registry-1.docker.io')], 'docker.io', 'library/nginx') as string).toBe(
      'library/nginx',
    )
  })
})

test.each([
  ['localhost:5001', true],
  ['kind-registry', true],
  ['10.0.0.1:5000', true],
  ['[::1]:5000', true],
  ['docker.io', false],
  ['registry.example.com:5000', false],
])('%s is a local name: %p', (host, isLocal) => {
  expect(isLocalName(host)).toBe(isLocal)
})
