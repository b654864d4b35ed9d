import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isRegistryError } from '../errors.ts'
import { parseLifecyclePolicy } from './parse.ts'

type Members = Readonly<Record<string, unknown>>

/** A rule of a policy text that is right but for what is changed; a member that is changed to `undefined` is left out. */
function rule(changes: Members = {}, selection: Members = {}, action: Members = {}): Members {
  return {
    rulePriority: 1,
    selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 3, ...selection },
    action: { type: 'expire', ...action },
    ...changes,
  }
}

const policy = (...rules: readonly unknown[]): string => JSON.stringify({ rules })

const tagged = { tagStatus: 'tagged', tagPrefixList: ['v'] }
const days = (countType: string, countNumber = 10) => ({ countType, countUnit: 'days', countNumber })
const archived = { storageClass: 'archive', ...days('sinceImageTransitioned', 90) }
const toArchive = { type: 'transition', targetStorageClass: 'archive' }

const NO_SCHEMA = 'instance failed to match exactly one schema (matched 0 out of 2)'

function refusalOf(text: string): string {
  try {
    parseLifecyclePolicy(text)
  } catch (thrown) {
    if (!isRegistryError(thrown, 'invalid-parameter')) throw thrown
    expect(thrown.details.member).toBe('LifecyclePolicyText')
    const [, detail = ''] =
      /^Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: (.*)'$/s.exec(
        thrown.message,
      ) ?? []
    return detail
  }
  throw new Error('The policy was accepted')
}

describe('a policy is accepted', () => {
  test('and read member by member', () => {
    const text = policy(
      rule({ rulePriority: 7, description: 'few' }, { ...tagged, tagPrefixList: ['v', 'w'], countNumber: 2 }),
      rule({ rulePriority: 2 }, { tagStatus: 'any', ...days('sinceImagePulled') }, toArchive),
      rule({ rulePriority: 1 }, { ...tagged, tagPrefixList: undefined, tagPatternList: ['*-rc*'] }),
      rule({ rulePriority: 3 }, archived),
    ).replace('"rulePriority":2', '"rulePriority":9')
    expect(parseLifecyclePolicy(text)).toEqual([
      {
        priority: 7,
        description: 'few',
        storageClass: 'standard',
        tags: { tagStatus: 'tagged', list: 'prefix', entries: ['v', 'w'] },
        limit: { countType: 'imageCountMoreThan', keptImages: 2 },
        action: 'expire',
      },
      {
        priority: 9,
        description: undefined,
        storageClass: 'standard',
        tags: { tagStatus: 'any' },
        limit: { countType: 'sinceImagePulled', ageDays: 10 },
        action: 'transition',
      },
      {
        priority: 1,
        description: undefined,
        storageClass: 'standard',
        tags: { tagStatus: 'tagged', list: 'pattern', entries: ['*-rc*'] },
        limit: { countType: 'imageCountMoreThan', keptImages: 3 },
        action: 'expire',
      },
      {
        priority: 3,
        description: undefined,
        storageClass: 'archive',
        tags: { tagStatus: 'untagged' },
        limit: { countType: 'sinceImageTransitioned', ageDays: 90 },
        action: 'expire',
      },
    ])
  })

  const accepted: readonly [string, string][] = [
    ['storageClass standard may be written', policy(rule({}, { storageClass: 'standard' }))],
    ['imageCountMoreThan may expire', policy(rule())],
    ['imageCountMoreThan may transition', policy(rule({}, {}, toArchive))],
    ['sinceImagePushed may expire', policy(rule({}, days('sinceImagePushed')))],
    ['sinceImagePushed may transition', policy(rule({}, days('sinceImagePushed'), toArchive))],
    ['sinceImagePulled may transition', policy(rule({}, days('sinceImagePulled'), toArchive))],
    ['sinceImageTransitioned may expire', policy(rule({}, archived))],
    ['a pattern of four wildcards', policy(rule({}, { tagStatus: 'tagged', tagPatternList: ['*a*b*c*'] }))],
    ['a pattern without wildcards', policy(rule({}, { tagStatus: 'tagged', tagPatternList: ['latest'] }))],
    ['fifty rules', policy(...Array.from({ length: 50 }, (_, n) => rule({ rulePriority: n + 1 }, listOf(`v${n}`))))],
    [
      'any last, one untagged and unique prefixes are per storage class',
      policy(
        rule({ rulePriority: 1 }, tagged),
        rule({ rulePriority: 2 }),
        rule({ rulePriority: 3 }, { tagStatus: 'any' }),
        rule({ rulePriority: 4 }, { ...tagged, ...archived }),
        rule({ rulePriority: 5 }, archived),
        rule({ rulePriority: 6 }, { tagStatus: 'any', ...archived }),
      ),
    ],
    [
      'a prefix list and a pattern list of the same texts',
      policy(rule({}, tagged), rule({ rulePriority: 2 }, { tagStatus: 'tagged', tagPatternList: ['v'] })),
    ],
  ]
  test.each(accepted)('%s', (_, text) => {
    expect(() => parseLifecyclePolicy(text)).not.toThrow()
  })
})

function listOf(...tagPrefixList: readonly string[]) {
  return { tagStatus: 'tagged', tagPrefixList }
}

describe('a policy is refused', () => {
  const mapping = 'Could not map policyString into LifecyclePolicy.'
  const without = (member: string) => `object has missing required properties (["${member}"])`
  const stranger = 'object instance has properties which are not allowed by the schema: (["x"])'
  const noEnum = (value: string, values: string) =>
    `instance value ("${value}") not found in enum (possible values: ${values})`
  const noType = (type: string, allowed: string) =>
    `instance type (${type}) does not match any allowed primitive type (allowed: ["${allowed}"])`
  const lastAny = 'Rule for tagStatus=ANY must have the lowest priority per storage class'
  const mustList = 'Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'

  const refused: readonly [string, string, string][] = [
    ['not JSON', 'invalid', mapping],
    ['not an object', '[]', mapping],
    ['null', 'null', mapping],
    ['a member named twice, of which readers take different ones', '{"rules":[],"rules":[]}', mapping],
    ['rules missing', '{"no_rules":1}', without('rules')],
    ['rulePriority missing', policy(rule({ rulePriority: undefined })), without('rulePriority')],
    ['selection missing', policy(rule({ selection: undefined })), without('selection')],
    ['action missing', policy(rule({ action: undefined })), without('action')],
    ['type missing', policy(rule({}, {}, { type: undefined })), without('type')],
    ['tagStatus missing', policy(rule({}, { tagStatus: undefined })), without('tagStatus')],
    ['countType missing', policy(rule({}, { countType: undefined })), without('countType')],
    ['countNumber missing', policy(rule({}, { countNumber: undefined })), without('countNumber')],
    [
      'all of a rule missing',
      policy({}),
      'object has missing required properties (["action","rulePriority","selection"])',
    ],
    ['unknown member of the policy', '{"rules":[],"x":1}', stranger],
    ['unknown member of a rule', policy(rule({ x: 1 })), stranger],
    ['unknown member of a selection', policy(rule({}, { x: 1 })), stranger],
    ['unknown member of an action', policy(rule({}, {}, { x: 1 })), stranger],
    ['a prototype by name', '{"rules":[],"__proto__":{}}', stranger.replace('"x"', '"__proto__"')],
    ['rules that are no list', '{"rules":{}}', noType('object', 'array')],
    ['a rule that is no object', policy('none'), noType('string', 'object')],
    ['a selection that is no object', policy(rule({ selection: [] })), noType('array', 'object')],
    ['a description that is no text', policy(rule({ description: null })), noType('null', 'string')],
    ['a priority that is no integer', policy(rule({ rulePriority: 1.5 })), noType('number', 'integer')],
    ['a number written as text', policy(rule({}, { countNumber: '3' })), noType('string', 'integer')],
    ['a bad action', policy(rule({}, {}, { type: 'delete' })), noEnum('delete', '["expire","transition"]')],
    ['an action in capitals', policy(rule({}, {}, { type: 'EXPIRE' })), noEnum('EXPIRE', '["expire","transition"]')],
    ['a bad tagStatus', policy(rule({}, { tagStatus: 'all' })), noEnum('all', '["any","tagged","untagged"]')],
    ['a bad storageClass', policy(rule({}, { storageClass: 'cold' })), noEnum('cold', '["standard","archive"]')],
    [
      'a bad countUnit',
      policy(rule({}, { ...days('sinceImagePushed'), countUnit: 'hours' })),
      noEnum('hours', '["days"]'),
    ],
    [
      'a bad target',
      policy(rule({}, {}, { type: 'transition', targetStorageClass: 'standard' })),
      noEnum('standard', '["archive"]'),
    ],
    [
      'a bad countType',
      policy(rule({}, { countType: 'sinceForever' })),
      'instance failed to match exactly one schema (matched 0 out of 2)',
    ],
    [
      'countNumber below 1',
      policy(rule({}, { countNumber: 0 })),
      'numeric instance is lower than the required minimum (minimum: 1, found: 0)',
    ],
    [
      'rulePriority below 1',
      policy(rule({ rulePriority: -4 })),
      'numeric instance is lower than the required minimum (minimum: 1, found: -4)',
    ],
    [
      'a number that no answer could carry',
      policy(rule({}, { countNumber: 2 ** 31 })),
      'numeric instance is greater than the required maximum (maximum: 2147483647, found: 2147483648)',
    ],
    ['tagged without a list', policy(rule({}, { tagStatus: 'tagged' })), mustList],
    ['tagged with an empty list', policy(rule({}, { tagStatus: 'tagged', tagPrefixList: [] })), mustList],
    [
      'a list with untagged',
      policy(rule({}, { tagPrefixList: ['v'] })),
      'tagPrefixList and tagPatternList must not be specified when tagStatus=UNTAGGED.',
    ],
    [
      'a list with any',
      policy(rule({}, { tagStatus: 'any', tagPatternList: ['v*'] })),
      'tagPrefixList and tagPatternList must not be specified when tagStatus=ANY.',
    ],
    [
      'both lists in one rule',
      policy(rule({}, { ...tagged, tagPatternList: ['v*'] })),
      'Only one of tagPrefixList and tagPatternList can be specified in a rule.',
    ],
    ['an empty entry', policy(rule({}, listOf('v', ''))), 'string "" is too short (length: 0, required minimum: 1)'],
    ['an entry that is no text', policy(rule({}, { ...tagged, tagPrefixList: [1] })), noType('integer', 'string')],
    [
      'a pattern of five wildcards',
      policy(rule({}, { tagStatus: 'tagged', tagPatternList: ['*a*b*c*d*'] })),
      'A pattern in tagPatternList can contain at most 4 wildcards (*): "*a*b*c*d*".',
    ],
    ['a priority given twice', policy(rule(), rule({}, tagged)), 'Duplicate rulePriority found: 1. It must be unique.'],
    ['any that is not last', policy(rule({}, { tagStatus: 'any' }), rule({ rulePriority: 2 })), lastAny],
    ['two any rules', policy(rule({}, { tagStatus: 'any' }), rule({ rulePriority: 2 }, { tagStatus: 'any' })), lastAny],
    [
      'two untagged rules',
      policy(rule(), rule({ rulePriority: 2 })),
      'Only one rule can select Untagged images per storage class',
    ],
    [
      'the same prefixes in two rules',
      policy(rule({}, listOf('a', 'b')), rule({ rulePriority: 2 }, listOf('b', 'a', 'a'))),
      'tagPrefixList must be unique among the rules of storageClass=STANDARD.',
    ],
    [
      'the same patterns in two rules',
      policy(
        rule({}, { tagStatus: 'tagged', tagPatternList: ['a*'], ...archived }),
        rule({ rulePriority: 2 }, { tagStatus: 'tagged', tagPatternList: ['a*'], ...archived }),
      ),
      'tagPatternList must be unique among the rules of storageClass=ARCHIVE.',
    ],
    [
      'images archived for less than 90 days',
      policy(rule({}, { ...archived, countNumber: 89 })),
      'Lifecycle policies that delete images archived for less than 90 days are not possible (minimum: 90, found: 89).',
    ],
    [
      'countUnit with imageCountMoreThan',
      policy(rule({}, { countUnit: 'days' })),
      `${NO_SCHEMA}\ncountUnit must not be specified when countType=imageCountMoreThan.`,
    ],
    ...['sinceImagePushed', 'sinceImagePulled', 'sinceImageTransitioned'].map((countType): [string, string, string] => [
      `${countType} without countUnit`,
      policy(rule({}, { countType })),
      `${NO_SCHEMA}\nMust specify countUnit when countType=${countType}.`,
    ]),
    ['countUnit null', policy(rule({}, { countUnit: null })), NO_SCHEMA],
    [
      'sinceImageTransitioned without a written storageClass',
      policy(rule({}, { ...archived, storageClass: undefined })),
      'Must specify storageClass=ARCHIVE when countType=sinceImageTransitioned.',
    ],
    [
      'sinceImageTransitioned that transitions',
      policy(rule({}, archived, toArchive)),
      'Only action type=EXPIRE is allowed when countType=sinceImageTransitioned.',
    ],
    ...['imageCountMoreThan', 'sinceImagePushed'].map((countType): [string, string, string] => [
      `${countType} in the archive`,
      policy(
        rule(
          {},
          {
            ...days(countType),
            storageClass: 'archive',
            ...(countType === 'imageCountMoreThan' && { countUnit: undefined }),
          },
        ),
      ),
      'Only countType=sinceImageTransitioned is allowed when storageClass=ARCHIVE.',
    ]),
    [
      'sinceImagePulled that expires',
      policy(rule({}, days('sinceImagePulled'))),
      'Only action type=TRANSITION is allowed when countType=sinceImagePulled.',
    ],
    [
      'transition without a target',
      policy(rule({}, {}, { type: 'transition' })),
      `${NO_SCHEMA}\nMust specify targetStorageClass when action type=TRANSITION.`,
    ],
    [
      'expire with a target',
      policy(rule({}, {}, { targetStorageClass: 'archive' })),
      `${NO_SCHEMA}\ntargetStorageClass must not be specified when action type=EXPIRE.`,
    ],
    [
      'expire with a target that is null',
      policy(rule({}, {}, { targetStorageClass: null })),
      `${NO_SCHEMA}\ntargetStorageClass must not be specified when action type=EXPIRE.`,
    ],
    [
      'fifty-one rules',
      policy(...Array.from({ length: 51 }, (_, n) => rule({ rulePriority: n + 1 }, listOf(`v${n}`)))),
      'array is too long: must have at most 50 elements but instance has 51 elements',
    ],
    [
      'a text that is too long',
      policy(rule({ description: 'x'.repeat(30_720) })),
      `string is too long (length: ${policy(rule({ description: 'x'.repeat(30_720) })).length}, maximum allowed: 30720)`,
    ],
  ]
  test.each(refused)('%s', (_, text, detail) => {
    expect(refusalOf(text)).toBe(detail)
  })
})

describe('whatever the text', () => {
  const value: fc.Arbitrary<unknown> = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('tagged', 'untagged', 'any', 'days', 'archive', 'expire', 'transition', 0, 1, 2, 90, ['v'], ['*']),
    fc.constantFrom('imageCountMoreThan', 'sinceImagePushed', 'sinceImagePulled', 'sinceImageTransitioned'),
  )
  const some = (...members: readonly string[]) =>
    fc.record(Object.fromEntries(members.map((name) => [name, value])), { requiredKeys: [] })
  const selection = some(
    'tagStatus',
    'tagPrefixList',
    'tagPatternList',
    'storageClass',
    'countType',
    'countUnit',
    'countNumber',
  )
  const aRule = fc.record(
    {
      rulePriority: value,
      description: fc.string(),
      selection: fc.oneof({ weight: 5, arbitrary: selection }, value),
      action: fc.oneof({ weight: 5, arbitrary: some('type', 'targetStorageClass') }, value),
    },
    { requiredKeys: [] },
  )
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.array(fc.oneof(aRule, value), { maxLength: 3 }).map((rules) => JSON.stringify({ rules })),
  )

  test('it is a policy, or refused by the one error', () => {
    fc.assert(
      fc.property(text, (given) => {
        try {
          for (const { priority, limit } of parseLifecyclePolicy(given)) {
            expect(priority).toBeGreaterThanOrEqual(1)
            expect('keptImages' in limit ? limit.keptImages : limit.ageDays).toBeGreaterThanOrEqual(1)
          }
        } catch (thrown) {
          if (!isRegistryError(thrown, 'invalid-parameter')) throw thrown
          expect(thrown.message).toContain('Lifecycle policy validation failure: ')
        }
      }),
      { numRuns: 3000 },
    )
  })
})
