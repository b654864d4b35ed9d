import { describe, expect, test } from 'bun:test'
import iamModel from '../../../models/iam.json' with { type: 'json' }
import stsModel from '../../../models/sts.json' with { type: 'json' }
import { queryInput } from '../../../src/protocols/aws/query-input.ts'
import { queryOutput } from '../../../src/protocols/aws/query-output.ts'

const input = (operation: string, text: string) => queryInput(stsModel, operation, new URLSearchParams(text))

describe('the parameters of a Query request', () => {
  test('are read as lists, structures and numbers', () => {
    const text =
      'Action=AssumeRole&RoleArn=r&DurationSeconds=900&Tags.member.1.Key=a&Tags.member.1.Value=&Tags.member.2.Key=b' +
      '&PolicyArns.member.1.arn=p&TransitiveTagKeys.member.1=a&Unknown=1'
    expect(input('AssumeRole', text)).toEqual({
      RoleArn: 'r',
      DurationSeconds: 900,
      Tags: [{ Key: 'a', Value: '' }, { Key: 'b' }],
      PolicyArns: [{ arn: 'p' }],
      TransitiveTagKeys: ['a'],
    })
  })

  test('are found among very many others, and however deep their names are', () => {
    const others = Array.from({ length: 20_000 }, (_, n) => `P${n}.x=`).join('&')
    expect(input('AssumeRole', `${others}&PolicyArns.member.1.arn=p`)).toEqual({ PolicyArns: [{ arn: 'p' }] })
    expect(input('AssumeRole', 'PolicyArns.member.1.arn.x=1')).toEqual({ PolicyArns: [{}] })
    for (const name of ['.'.repeat(100_000), 'a.'.repeat(100_000), '.PolicyArns.member.1.arn'])
      expect(input('AssumeRole', `${name}=1`)).toEqual({})
  })

  test('may name an empty list, and end where a number is missing', () => {
    expect(input('AssumeRole', 'TransitiveTagKeys=')).toEqual({ TransitiveTagKeys: [] })
    expect(input('AssumeRole', 'TransitiveTagKeys.member.2=a')).toEqual({})
  })

  test('are refused when they are of another type', () => {
    expect(() => input('AssumeRole', 'DurationSeconds=soon')).toThrow('is not of the type')
  })
})

test('answers are elements: lists of members, moments without fractions', () => {
  const at = new Date('2026-01-01T00:00:00.123Z')
  const role = { RoleName: 'r', CreateDate: at, MaxSessionDuration: 3600, Tags: [{ Key: 'k', Value: 'v' }] }
  expect(queryOutput(iamModel, 'ListRoles', { Roles: [role], IsTruncated: false, Nothing: 1 })).toEqual({
    Roles: {
      member: [
        {
          RoleName: 'r',
          CreateDate: '2026-01-01T00:00:00Z',
          MaxSessionDuration: '3600',
          Tags: { member: [{ Key: 'k', Value: 'v' }] },
        },
      ],
    },
    IsTruncated: 'false',
  })
  expect(queryOutput(iamModel, 'ListRoles', { Roles: [], IsTruncated: false })).toEqual({
    Roles: '',
    IsTruncated: 'false',
  })
})
