import { expect, test } from 'bun:test'
import { semverRange } from './semver-range.ts'

const TAGS = [
  '0.1.0',
  '0.1.9',
  '0.2.0',
  '1.0.0',
  '1.2',
  '1.2.3',
  'v1.4.0',
  '2.0.0-rc.1',
  '2.0.0',
  '2.1.0',
  'latest',
  '10.0.0',
]

const CASES: Readonly<Record<string, readonly string[]>> = {
  '>=1.2 <2': ['1.2', '1.2.3', 'v1.4.0'],
  '>= 1.2, < 2': ['1.2', '1.2.3', 'v1.4.0'],
  '^1.2': ['1.2', '1.2.3', 'v1.4.0'],
  '^0.1': ['0.1.0', '0.1.9'],
  '^0.0.3': [],
  '^0': ['0.1.0', '0.1.9', '0.2.0'],
  '~1.2.1': ['1.2.3'],
  '~1': ['1.0.0', '1.2', '1.2.3', 'v1.4.0'],
  '1.x': ['1.0.0', '1.2', '1.2.3', 'v1.4.0'],
  '1.2.x': ['1.2', '1.2.3'],
  '=1.2.3': ['1.2.3'],
  '1.2.0': ['1.2'],
  '1.2 - 1.4': ['1.2', '1.2.3', 'v1.4.0'],
  '>1': ['2.0.0', '2.1.0', '10.0.0'],
  '<=1.2': ['0.1.0', '0.1.9', '0.2.0', '1.0.0', '1.2', '1.2.3'],
  '>=2.0.0-rc.0 <2.0.1': ['2.0.0-rc.1', '2.0.0'],
  '~0.1 || >=10': ['0.1.0', '0.1.9', '10.0.0'],
  '*': ['0.1.0', '0.1.9', '0.2.0', '1.0.0', '1.2', '1.2.3', 'v1.4.0', '2.0.0', '2.1.0', '10.0.0'],
}

for (const [range, expected] of Object.entries(CASES))
  test(`the range ${range}`, () => {
    const isIn = semverRange(range)
    expect(TAGS.filter((tag) => isIn?.(tag))).toEqual([...expected])
  })

test('pre-releases go by their parts', () => {
  const isIn = semverRange('>1.0.0-beta.2 <1.0.0')
  const tags = ['1.0.0-alpha', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-beta.x', '1.0.0-rc', '1.0.0']
  expect(tags.filter((tag) => isIn?.(tag))).toEqual(['1.0.0-beta.11', '1.0.0-beta.x', '1.0.0-rc'])
})

test('what is no range says so', () => {
  for (const text of ['latest', '>=', '1.2.3.4', '^^1', '1 - 2 - 3', '>=1 nonsense', 'v1-*'])
    expect(semverRange(text)).toBeUndefined()
})
