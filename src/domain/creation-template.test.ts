import { expect, test } from 'bun:test'
import { type CreationOccasion, type CreationTemplate, prefixesOf, templateFor } from './creation-template.ts'
import { MUTABLE } from './mutability.ts'
import { parseRegion, parseRegistryId, parseRepositoryName } from './names.ts'

const template = (prefix: string, ...appliedFor: CreationOccasion[]): CreationTemplate => ({
  registry: { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') },
  prefix,
  appliedFor,
  mutability: MUTABLE,
  encryption: { type: 'AES256' },
  resourceTags: [],
  createdAt: new Date(0),
  updatedAt: new Date(0),
})

test('prefixes end at a slash, the longest first, ROOT last', () => {
  expect(prefixesOf(parseRepositoryName('a1/b/c'))).toEqual(['a1/b/', 'a1/b', 'a1/', 'a1', 'ROOT'])
  expect(prefixesOf(parseRepositoryName('app'))).toEqual(['ROOT'])
})

test.each([
  ['prod/app', 'prod'],
  ['prod/team/app', 'prod/team/'],
  ['prod', 'ROOT'],
  ['product/app', 'ROOT'],
] as const)('%p is made by the template %p', (name, prefix) => {
  const templates = ['ROOT', 'prod', 'prod/team/'].map((one) => template(one, 'CREATE_ON_PUSH'))
  expect(templateFor(templates, parseRepositoryName(name), 'CREATE_ON_PUSH')?.prefix).toBe(prefix)
})

test('a template for another occasion is as good as none', () => {
  const templates = [template('prod', 'REPLICATION'), template('ROOT', 'CREATE_ON_PUSH', 'REPLICATION')]
  const find = (occasion: CreationOccasion) => templateFor(templates, parseRepositoryName('prod/app'), occasion)?.prefix
  expect([find('REPLICATION'), find('CREATE_ON_PUSH'), find('PULL_THROUGH_CACHE')]).toEqual(['prod', 'ROOT', undefined])
})
