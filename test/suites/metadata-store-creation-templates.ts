import { expect, test } from 'bun:test'
import type { CreationTemplate } from '../../src/domain/creation-template.ts'
import { MUTABLE } from '../../src/domain/mutability.ts'
import type { Registry } from '../../src/domain/names.ts'
import { expectCode, minute, OTHER_REGISTRY, REGISTRY, type StoreOf, turnPages } from './metadata-store-records.ts'

export const newTemplate = (prefix: string, registry: Registry = REGISTRY): CreationTemplate => ({
  registry,
  prefix,
  appliedFor: ['CREATE_ON_PUSH'],
  description: undefined,
  mutability: MUTABLE,
  encryption: { type: 'AES256' },
  repositoryPolicy: undefined,
  lifecyclePolicy: undefined,
  resourceTags: [],
  customRoleArn: undefined,
  createdAt: minute(1),
  updatedAt: minute(1),
})

export function creationTemplateCases(store: StoreOf): void {
  const insert = (template: CreationTemplate) => store().transact((tx) => tx.creationTemplates.insert(template))
  const find = (...prefixes: string[]) => store().view.creationTemplates.findMany(REGISTRY, prefixes)

  test('a template comes back as it went in, is replaced and removed', async () => {
    await insert(newTemplate('prod'))
    await insert(newTemplate('prod', OTHER_REGISTRY))
    expect(await find('prod', 'prod/', 'ROOT')).toEqual([newTemplate('prod')])
    const full: CreationTemplate = {
      ...newTemplate('prod'),
      appliedFor: ['REPLICATION', 'PULL_THROUGH_CACHE'],
      description: 'for production',
      mutability: { mode: 'IMMUTABLE_WITH_EXCLUSION', exclusionFilters: ['dev-*'] },
      repositoryPolicy: '{}',
      lifecyclePolicy: '{ }',
      resourceTags: [{ key: 'a', value: 'b' }],
      customRoleArn: 'arn:aws:iam::123456789012:role/r',
      updatedAt: minute(2),
    }
    await store().transact((tx) => tx.creationTemplates.update(full))
    expect(await find('prod')).toEqual([full])
    await store().transact((tx) => tx.creationTemplates.delete(REGISTRY, 'prod'))
    expect(await find('prod')).toEqual([])
    expect(await store().view.creationTemplates.list(OTHER_REGISTRY, { limit: 5 })).toHaveLength(1)
  })

  test('a prefix is taken once', async () => {
    await insert(newTemplate('prod'))
    await expectCode(insert(newTemplate('prod')), 'template-exists')
  })

  test('lists go by prefix, page by page', async () => {
    for (const prefix of ['b', 'ROOT', 'a/b', 'a-b']) await insert(newTemplate(prefix))
    for (const limit of [1, 3, 10]) {
      const listed = await turnPages(
        limit,
        (page: { after?: string | undefined; limit: number }) => store().view.creationTemplates.list(REGISTRY, page),
        ({ prefix }) => prefix,
      )
      expect(listed.map(({ prefix }) => prefix)).toEqual(['ROOT', 'a-b', 'a/b', 'b'])
    }
  })
}
