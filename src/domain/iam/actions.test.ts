import { expect, test } from 'bun:test'
import ecrModel from '../../../models/ecr.json' with { type: 'json' }
import type { ServiceModel } from '../../protocols/aws/model.ts'
import { REGISTRY_ACTIONS, REPOSITORY_ACTIONS } from './actions.ts'

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
