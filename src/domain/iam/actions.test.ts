import { expect, test } from 'bun:test'
import ecrModel from '../../../models/ecr.json' with { type: 'json' }
import ecrPublicModel from '../../../models/ecr-public.json' with { type: 'json' }
import type { ServiceModel } from '../../protocols/aws/model.ts'
import {
  ALL_ACTION_KEYS,
  PUBLIC_REPOSITORY_ACTIONS,
  publicActionKey,
  REGISTRY_ACTIONS,
  REPOSITORY_ACTIONS,
} from './actions.ts'

test("the actions are ECR's operations, but for one that has no action and three that are no operations", () => {
  const operations = Object.keys(ecrModel.operations).filter((name) => name !== 'ListImageReferrers')
  const actions: readonly string[] = [...REPOSITORY_ACTIONS, ...REGISTRY_ACTIONS]
  expect([...actions].sort()).toEqual(
    [...operations, 'BatchImportUpstreamImage', 'GetImageCopyStatus', 'ReplicateImage'].sort(),
  )
  const { shapes }: ServiceModel = ecrModel
  for (const name of operations) {
    const input = Object.keys(shapes[`${name}Request`]?.members ?? {})
    const isOfRepository = input.some((member) => /^(repositoryNames?|resourceArn)$/.test(member))
    expect([name, (REPOSITORY_ACTIONS as readonly string[]).includes(name)]).toEqual([name, isOfRepository])
  }
})

test("the actions on public repositories are ECR Public's operations on them, and those of a pull", () => {
  const { shapes, operations }: ServiceModel = ecrPublicModel
  const ofRepository = Object.keys(operations).filter((name) =>
    Object.keys(shapes[`${name}Request`]?.members ?? {}).some((member) =>
      /^(repositoryNames?|resourceArn)$/.test(member),
    ),
  )
  const pulls = ['BatchGetImage', 'GetDownloadUrlForLayer', 'ListImages']
  const actions: readonly string[] = PUBLIC_REPOSITORY_ACTIONS
  expect(actions.toSorted()).toEqual([...ofRepository, ...pulls].toSorted())
})

test('every permission that the registry asks for is one that policies can speak of', async () => {
  const asked = new Set<string>()
  for await (const file of new Bun.Glob('src/{services,protocols,jobs}/**/*.ts').scan('.'))
    for (const [, action = ''] of (await Bun.file(file).text()).matchAll(/'(ecr(?:-public)?:[A-Z]\w+)'/g))
      asked.add(action)
  expect(asked.size).toBeGreaterThan(20)
  const known = new Set([...ALL_ACTION_KEYS, ...Object.keys(ecrPublicModel.operations).map(publicActionKey)])
  expect([...asked].filter((action) => !known.has(action.toLowerCase()))).toEqual([])
})
