import { invalidParameter, invalidParameters } from '../../../src/domain/errors.ts'
import { type ServiceModel, shapeOf } from '../../../src/protocols/aws/model.ts'
import { SAME } from './expectation.ts'
import type { Variant } from './input-variants.ts'
import { type Sample, sampleAt } from './sample.ts'

/** Lists of ids, beside which there are no pages. */
const IDS = ['imageIds', 'repositoryNames', 'prefixes']

const isOtherwise = (message: string) => ({ kind: 'refused', code: 'InvalidParameterException', message }) as const

/** What pages allow, where the operation has any: tokens that were never given, and pages of ids. */
export function pagingVariants(model: ServiceModel, operation: string, sample: Sample): readonly Variant[] {
  const members = shapeOf(model, model.operations[operation]?.input?.shape ?? '').members ?? {}
  if (members.nextToken === undefined) return []
  const tokens = ['?', 'a', 'null', '-1', '100', 'YWJj', 'e30=', '🦆', 'a'.repeat(10_000)]
  const noToken = isOtherwise(invalidParameter('nextToken', 'Invalid pagination token').message)
  const ids = IDS.find((name) => members[name] !== undefined)
  const refused = isOtherwise(
    invalidParameters(`Invalid request parameters: maxResults and nextToken cannot be used with ${ids}`).message,
  )
  const given = ids === undefined ? {} : { [ids]: sampleAt(sample, ids) }
  const variant = (what: string, input: object, expected: Variant['expected']): Variant => ({
    member: 'nextToken',
    what,
    input: { ...sample.input, ...input },
    expected,
  })
  return [
    ...tokens.map((nextToken) => variant(`never given: ${nextToken.slice(0, 10)}`, { nextToken }, noToken)),
    variant('a page of one', { maxResults: 1 }, SAME),
    ...(ids === undefined
      ? []
      : [
          variant(`maxResults with ${ids}`, { ...given, maxResults: 5 }, refused),
          variant(`nextToken with ${ids}`, { ...given, nextToken: 'YWJj' }, refused),
          variant(`both with ${ids}`, { ...given, maxResults: 5, nextToken: 'YWJj' }, refused),
        ]),
  ]
}
