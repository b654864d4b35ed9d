import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import ecr from '../../../models/ecr.json' with { type: 'json' }
import { isRegistryError } from '../../../src/domain/errors.ts'
import { type ServiceModel, shapeOf } from '../../../src/protocols/aws/model.ts'
import { InputParsers } from '../../../src/protocols/aws/validate.ts'

const model: ServiceModel = ecr
const parsers = new InputParsers(model, { imageManifest: 'ImageManifest' })

function refusal(operation: string, input: unknown): string {
  try {
    parsers.for(operation)(input)
  } catch (thrown) {
    if (isRegistryError(thrown)) return `${thrown.code}: ${thrown.message}`
    throw thrown
  }
  return 'accepted'
}

const refusedAt = (member: string, reason: string) =>
  `invalid-parameter: Invalid parameter at '${member}' failed to satisfy constraint: '${reason}'`

describe('what an operation receives', () => {
  test('known members; unknown and null ones are dropped', () => {
    const input = { repositoryName: 'ab', registryId: null, unheardOf: { deep: true } }
    expect(parsers.for('DescribeImages')(input)).toEqual({ repositoryName: 'ab' })
  })

  test('blobs as bytes', () => {
    const input = {
      repositoryName: 'ab',
      uploadId: '00000000-0000-4000-8000-000000000000',
      partFirstByte: 0,
      partLastByte: 1,
    }
    const parse = parsers.for('UploadLayerPart')
    expect(parse({ ...input, layerPartBlob: 'AAE=' })).toEqual({ ...input, layerPartBlob: new Uint8Array([0, 1]) })
    expect(parse({ ...input, layerPartBlob: '' })).toEqual({ ...input, layerPartBlob: new Uint8Array() })
    for (const layerPartBlob of ['AAE', 'AAE=\n', 'A AE', '-_==', 'AA=E', '====', 'AAF='])
      expect(refusal('UploadLayerPart', { ...input, layerPartBlob })).toBe(
        'request-malformed: A blob is not valid base64',
      )
    expect(refusal('UploadLayerPart', { ...input, layerPartBlob: 'A'.repeat(27_962_032) })).toBe(
      refusedAt('layerPartBlob', 'Member must have length less than or equal to 20971520'),
    )
  })

  test('names from the outside world never reach the prototype', () => {
    expect(refusal('DescribeImages', JSON.parse('{"__proto__":{"repositoryName":"ab"}}'))).toBe(
      refusedAt('repositoryName', 'Member must not be null'),
    )
  })
})

describe("ECR's words", () => {
  const cases: readonly (readonly [operation: string, input: object, refusal: string])[] = [
    ['DescribeImages', {}, refusedAt('repositoryName', 'Member must not be null')],
    [
      'DescribeImages',
      { repositoryName: 'ab', maxResults: 1001 },
      refusedAt('maxResults', 'Member must have value less than or equal to 1000'),
    ],
    [
      'DescribeImages',
      { repositoryName: 'ab', maxResults: 0 },
      refusedAt('maxResults', 'Member must have value greater than or equal to 1'),
    ],
    [
      'DescribeImages',
      { repositoryName: 'a' },
      refusedAt('repositoryName', 'Member must have length greater than or equal to 2'),
    ],
    [
      'DescribeImages',
      { repositoryName: 'Ab' },
      refusedAt(
        'repositoryName',
        "must satisfy regular expression '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*'",
      ),
    ],
    [
      'DescribeImages',
      { repositoryName: 'ab', imageIds: [] },
      refusedAt('imageIds', 'Member must have length greater than or equal to 1'),
    ],
    [
      'DescribeImages',
      { repositoryName: 'ab', imageIds: [{ imageTag: 'x' }, { imageTag: '' }] },
      refusedAt('imageIds.2.member.imageTag', 'Member must have length greater than or equal to 1'),
    ],
    [
      'DescribeImages',
      { repositoryName: 'ab', filter: { tagStatus: 'SOME' } },
      refusedAt('filter.tagStatus', 'Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]'),
    ],
    [
      'CreateRepository',
      { repositoryName: 'ab', tags: [{ Value: 'x' }] },
      refusedAt('tags.1.member.key', 'Member must not be null'),
    ],
    [
      'PutImage',
      { repositoryName: 'ab', imageManifest: '' },
      refusedAt('ImageManifest', 'Member must have length greater than or equal to 1'),
    ],
  ]
  for (const [operation, input, expected] of cases)
    test(`${operation} ${JSON.stringify(input)}`, () => expect(refusal(operation, input)).toBe(expected))
})

describe('wrong types', () => {
  const malformed: readonly (readonly [unknown, string])[] = [
    [{ repositoryName: 5 }, 'NUMBER_VALUE can not be converted to a String'],
    [{ repositoryName: true }, 'TRUE_VALUE can not be converted to a String'],
    [{ repositoryName: ['ab'] }, 'Start of list found where not expected'],
    [{ repositoryName: {} }, 'Start of structure or map found where not expected'],
    [{ repositoryName: 'ab', maxResults: '5' }, 'STRING_VALUE can not be converted to an Integer'],
    [{ repositoryName: 'ab', maxResults: 1.5 }, 'NUMBER_VALUE can not be converted to an Integer'],
    [{ repositoryName: 'ab', maxResults: 2 ** 31 }, 'NUMBER_VALUE can not be converted to an Integer'],
    [{ repositoryName: 'ab', imageIds: {} }, 'Expected list or null'],
    [{ repositoryName: 'ab', imageIds: ['x'] }, 'Expected structure or null'],
    [{ repositoryName: 'ab', nextToken: '\ud800' }, 'A string holds half of a surrogate pair'],
    [[], 'Expected structure or null'],
    ['text', 'Expected structure or null'],
  ]
  for (const [input, message] of malformed)
    test(`${JSON.stringify(input)}`, () =>
      expect(refusal('DescribeImages', input)).toBe(`request-malformed: ${message}`))
})

describe('every operation of the model', () => {
  const operations = Object.keys(model.operations)

  test.each(operations)('%s wants its required members', (operation) => {
    const { required = [] } = shapeOf(model, model.operations[operation]?.input?.shape ?? '')
    const answer = refusal(operation, {})
    if (required.length === 0) expect(answer).toBe('accepted')
    else expect(answer).toEndWith("'Member must not be null'")
  })

  test.each(operations)('%s answers any JSON with acceptance or a refusal', (operation) => {
    const { members = {} } = shapeOf(model, model.operations[operation]?.input?.shape ?? '')
    const names = fc.constantFrom(...Object.keys(members), 'other', '__proto__')
    const input = fc.dictionary(names, fc.jsonValue())
    fc.assert(
      fc.property(input, (input) => {
        refusal(operation, input)
      }),
      { numRuns: 30 },
    )
  })

  // For each member, a value just inside and one just outside of each constraint that its shape names.
  for (const operation of operations) {
    const { members = {} } = shapeOf(model, model.operations[operation]?.input?.shape ?? '')
    for (const [name, member] of Object.entries(members)) {
      const shape = shapeOf(model, member?.shape ?? '')
      const { type, min, max, pattern } = shape
      const at = (value: unknown) => refusal(operation, { ...sample(operation), [name]: value })
      if (type === 'integer' || type === 'long') {
        test(`${operation}.${name} keeps its range`, () => {
          if (min !== undefined)
            expect([at(min), at(min - 1)]).toEqual(['accepted', expect.stringContaining('greater')])
          if (max !== undefined) expect([at(max), at(max + 1)]).toEqual(['accepted', expect.stringContaining('less')])
        })
      }
      if (type === 'string' && pattern === undefined && shape.enum === undefined) {
        test(`${operation}.${name} keeps its length`, () => {
          if (max !== undefined)
            expect([at('x'.repeat(max)), at('x'.repeat(max + 1))]).toEqual([
              'accepted',
              expect.stringContaining('less'),
            ])
          if (min !== undefined && min > 0) expect(at('x'.repeat(min - 1))).toContain('greater')
        })
      }
      if (shape.enum !== undefined) {
        test(`${operation}.${name} knows its values`, () => {
          for (const value of shape.enum ?? []) expect(at(value)).toBe('accepted')
          expect(at('ELSE')).toContain('Member must satisfy enum value set: [')
        })
      }
      if (type === 'list') {
        test(`${operation}.${name} keeps its size`, () => {
          if (max !== undefined) expect(at(Array.from({ length: max + 1 }, () => null))).toContain('less than')
          if (min !== undefined && min > 0) expect(at([])).toContain('greater than')
          expect(at([null])).toContain("1.member' failed")
        })
      }
    }
  }
})

/** The least input that an operation accepts. */
function sample(operation: string): Record<string, unknown> {
  return sampleOf(model.operations[operation]?.input?.shape ?? '') as Record<string, unknown>
}

function sampleOf(name: string): unknown {
  const shape = shapeOf(model, name)
  const { type, min = 0, members = {}, required = [], member } = shape
  if (shape.enum !== undefined) return shape.enum[0]
  switch (type) {
    case 'structure':
      return Object.fromEntries(required.map((name) => [name, sampleOf(members[name]?.shape ?? '')]))
    case 'list':
      return Array.from({ length: min }, () => sampleOf(member?.shape ?? ''))
    case 'string':
      return SAMPLES[name] ?? 'x'.repeat(min)
    case 'blob':
      return ''
    case 'boolean':
      return false
    default:
      return min
  }
}

const SAMPLES: Readonly<Record<string, string>> = {
  RepositoryName: 'ab',
  LayerDigest: 'sha256:00',
  UploadId: '00000000-0000-4000-8000-000000000000',
  Prefix: 'ab',
  PullThroughCacheRuleRepositoryPrefix: 'ab',
  PrincipalArn: 'arn:aws:iam::000000000000:role/x',
}
