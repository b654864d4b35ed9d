import { describe, expect, test } from 'bun:test'
import { matchesEvent, parseEventPattern } from './pattern.ts'

const meets = (pattern: object, event: object) =>
  matchesEvent(parseEventPattern(JSON.stringify(pattern)), event as never)
const refusal = (pattern: unknown) => {
  try {
    parseEventPattern(typeof pattern === 'string' ? pattern : JSON.stringify(pattern))
    return undefined
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

const push = {
  version: '0',
  id: '13cde686-328b-6117-af20-0e5566167482',
  'detail-type': 'ECR Image Action',
  source: 'aws.ecr',
  account: '123456789012',
  time: '2019-11-16T01:54:34Z',
  region: 'us-west-2',
  resources: [] as string[],
  detail: {
    result: 'SUCCESS',
    'repository-name': 'team/app',
    'image-digest': 'sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd1234',
    'action-type': 'PUSH',
    'image-tag': 'latest',
  },
}

/** A line of what is documented: the pattern for the field `f`, what meets it, and what does not. */
const LINES: readonly (readonly [string, unknown[], unknown[], unknown[]])[] = [
  ['a value', ['a'], ['a'], ['A', 'ab', null, 1]],
  ['any of several', ['a', 'b'], ['a', 'b', ['x', 'b']], ['c', ['x']]],
  ['null is not the empty text', [null], [null], ['', 'null', 0]],
  ['the empty text is not null', [''], [''], [null]],
  ['a number', [300], [300], ['300', 301]],
  ['a truth', [true], [true], ['true', 1, false]],
  ['a prefix', [{ prefix: 'us-' }], ['us-', 'us-east-1'], ['eu-us-', 'US-east', 1]],
  ['a prefix in any case', [{ prefix: { 'equals-ignore-case': 'EventB' } }], ['eventbridge', 'EVENTB'], ['event']],
  ['a suffix', [{ suffix: '.png' }], ['a.png', '.png'], ['a.png2', 'a.PNG']],
  ['a suffix in any case', [{ suffix: { 'equals-ignore-case': '.PNG' } }], ['a.png', 'a.pNg'], ['a.jpg']],
  ['a text in any case', [{ 'equals-ignore-case': 'Alice' }], ['alice', 'ALICE'], ['alice2', null]],
  ['anything but a text', [{ 'anything-but': 'a' }], ['b', null, 1, ''], ['a']],
  ['anything but a number', [{ 'anything-but': 5 }], [4, '5'], [5]],
  ['anything but several', [{ 'anything-but': ['a', 'b'] }], ['c', ['a', 'c']], ['a', 'b', ['a', 'b']]],
  ['anything but several numbers', [{ 'anything-but': [1, 2] }], [3], [1, 2]],
  ['anything but a prefix', [{ 'anything-but': { prefix: 'init' } }], ['running'], ['initializing']],
  ['anything but prefixes', [{ 'anything-but': { prefix: ['a', 'b'] } }], ['c'], ['ab', 'ba']],
  ['anything but a suffix', [{ 'anything-but': { suffix: '.txt' } }], ['a.png'], ['a.txt']],
  ['anything but suffixes', [{ 'anything-but': { suffix: ['.txt', '.rst'] } }], ['a.png'], ['a.txt', 'a.rst']],
  ['anything but a case', [{ 'anything-but': { 'equals-ignore-case': 'init' } }], ['x'], ['INIT', 'init']],
  ['anything but cases', [{ 'anything-but': { 'equals-ignore-case': ['a', 'B'] } }], ['c'], ['A', 'b']],
  ['anything but a wildcard', [{ 'anything-but': { wildcard: '*/bin/*' } }], ['a'], ['/x/bin/y']],
  ['anything but wildcards', [{ 'anything-but': { wildcard: ['*a*', 'b*'] } }], ['c'], ['xax', 'bc']],
  ['equality by number', [{ numeric: ['=', 3.018e2] }], [301.8], ['301.8', 301]],
  ['a bound', [{ numeric: ['<=', 5] }], [5, -1], [6, '4']],
  ['a range', [{ numeric: ['>', 0, '<=', 5] }], [1, 5], [0, 5.1]],
  ['a network', [{ cidr: '10.0.0.0/24' }], ['10.0.0.255'], ['10.0.1.0', 'x', 10]],
  ['a network of IPv6', [{ cidr: '2001:db8::/32' }], ['2001:db8::1'], ['2001:db9::1', '10.0.0.1']],
  ['a wildcard', [{ wildcard: 'arn:*:repo/*-prod' }], ['arn:x:y:repo/a-prod'], ['arn:x:repo/prod', 'xarn::repo/-prod']],
  ['a star meant as such', [{ wildcard: 'a\\*b\\\\*' }], ['a*b\\', 'a*b\\c'], ['axb\\', 'a*b']],
  ['a field that is there', [{ exists: true }], ['', null, 0, ['a']], [{}, [], { a: 1 }]],
  ['a field that is absent', [{ exists: false }], [[], { a: 1 }], ['', null]],
  ['one or absent', ['a', { exists: false }], ['a', []], ['b']],
  ['some of both', [{ prefix: 'a' }, { numeric: ['>', 5] }, 'x'], ['ab', 6, 'x'], ['b', 5]],
]

for (const [name, pattern, met, unmet] of LINES)
  test(`${name}`, () => {
    for (const value of met) expect([value, meets({ f: pattern }, { f: value })]).toEqual([value, true])
    for (const value of unmet) expect([value, meets({ f: pattern }, { f: value })]).toEqual([value, false])
  })

describe('a pattern', () => {
  test('finds the events of a registry', () => {
    expect(meets({ source: ['aws.ecr'] }, push)).toBe(true)
    expect(meets({ source: ['aws.ecr'], detail: { 'action-type': ['PUSH'], result: ['SUCCESS'] } }, push)).toBe(true)
    expect(meets({ source: ['aws.ecr'], detail: { 'action-type': ['DELETE'] } }, push)).toBe(false)
    expect(meets({ detail: { 'image-tag': [{ exists: false }] } }, push)).toBe(false)
    expect(meets({ resources: [{ exists: false }] }, push)).toBe(true)
    expect(
      meets({ detail: { 'repository-name': [{ wildcard: 'team/*' }], 'image-tag': ['latest', 'v1'] } }, push),
    ).toBe(true)
  })

  test('asks for all fields, and of $or for one', () => {
    const location = { $or: [{ a: [1] }, { b: { c: ['x'] }, d: [2] }] }
    expect(meets(location, { a: 1 })).toBe(true)
    expect(meets(location, { b: { c: 'x' }, d: 2 })).toBe(true)
    expect(meets(location, { b: { c: 'x' } })).toBe(false)
    expect(meets({ ...location, e: ['y'] }, { a: 1 })).toBe(false)
    expect(meets({ s: ['q'], detail: { $or: [{ m: ['a'] }, { n: ['b'] }] } }, { s: 'q', detail: { n: 'b' } })).toBe(
      true,
    )
  })

  test('holds for one and the same object of a list', () => {
    const pattern = { employees: { firstName: ['Anna'], lastName: ['Smith'] } }
    expect(
      meets(pattern, {
        employees: [
          { firstName: 'Anna', lastName: 'Jones' },
          { firstName: 'Bo', lastName: 'Smith' },
        ],
      }),
    ).toBe(false)
    expect(meets(pattern, { employees: [{ firstName: 'Bo' }, { firstName: 'Anna', lastName: 'Smith' }] })).toBe(true)
    expect(meets({ e: { x: [{ exists: false }] } }, { e: [{ y: 1 }, { x: 1 }] })).toBe(false)
    expect(meets({ e: { x: [{ exists: false }] } }, {})).toBe(true)
  })

  test('does not take what every object has for a field', () => {
    expect(meets({ constructor: [{ exists: true }] }, {})).toBe(false)
    expect(meets({ __proto__x: [{ exists: true }] }, {})).toBe(false)
  })

  test('that is none is refused, with the reason', () => {
    const refused: readonly [unknown, string][] = [
      ['{', 'not valid JSON'],
      [[], 'Filter is not an object'],
      [{}, 'Empty objects are not allowed'],
      [{ a: {} }, 'Empty objects are not allowed'],
      [{ a: 'b' }, '"a" must be an object or an array'],
      [{ a: [] }, 'Empty arrays are not allowed'],
      [{ a: [['b']] }, 'Lists inside'],
      [{ a: [{}] }, 'Only one key allowed'],
      [{ a: [{ prefix: 'a', suffix: 'b' }] }, 'Only one key allowed'],
      [{ a: [{ like: 'a' }] }, 'Unrecognized match type like'],
      [{ a: [{ constructor: 'a' }] }, 'Unrecognized match type constructor'],
      [{ a: [{ prefix: 1 }] }, 'prefix match pattern must be a string'],
      [{ a: [{ exists: 'true' }] }, 'exists match pattern must be either true or false'],
      [{ a: [{ numeric: ['~', 1] }] }, 'Unrecognized numeric range operator'],
      [{ a: [{ numeric: ['toString', 1] }] }, 'Unrecognized numeric range operator'],
      [{ a: [{ numeric: ['>', '1'] }] }, 'must be numeric'],
      [{ a: [{ numeric: ['>', 6e9] }] }, 'Value must be between'],
      [{ a: [{ numeric: ['<', 1, '>', 5] }] }, 'A numeric range begins with'],
      [{ a: [{ numeric: ['>', 5, '<', 1] }] }, 'Bottom must be less than top'],
      [{ a: [{ numeric: ['>'] }] }, 'one or two pairs'],
      [{ a: [{ 'anything-but': [] }] }, 'Empty arrays'],
      [{ a: [{ 'anything-but': ['a', 1] }] }, 'either all values are strings'],
      [{ a: [{ 'anything-but': { like: 'a' } }] }, 'Unrecognized match type like'],
      [{ a: [{ cidr: '10.0.0.0/33' }] }, 'Malformed CIDR'],
      [{ a: [{ wildcard: 'a**b' }] }, 'consecutive wildcard'],
      [{ a: [{ wildcard: 'a\\b' }] }, 'Invalid escape'],
      [{ $or: [{ a: [1] }] }, 'at least two objects'],
      [{ $or: 'a' }, '"$or" must be an object or an array'],
    ]
    for (const [pattern, reason] of refused) expect(refusal(pattern)).toContain(reason)
    const wide = { $or: Array.from({ length: 40 }, (_, at) => ({ a: [at] })) }
    expect(refusal({ x: wide, y: wide })).toContain('combinations')
    expect(refusal(`${'{"a":'.repeat(200)}["b"]${'}'.repeat(200)}`)).toContain('nested too deeply')
  })
})

describe('for events of all kinds', () => {
  /** A small generator, always the same. */
  let state = 7
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  const leaf = () => ['a', 'b', '', null, true, 0, 5][random(7)]
  const value = (depth: number): unknown => {
    const kind = random(depth > 2 ? 1 : 4)
    if (kind < 2) return leaf()
    if (kind === 2) return Array.from({ length: random(3) }, () => value(depth + 1))
    return Object.fromEntries(['x', 'y', 'z'].slice(0, random(4)).map((name) => [name, value(depth + 1)]))
  }
  /** A pattern that each member of a document meets, or `undefined` where it has no value. */
  const patternOf = (document: Readonly<Record<string, unknown>>): object | undefined => {
    const entries: [string, unknown][] = []
    for (const [name, one] of Object.entries(document)) {
      if (Array.isArray(one)) continue
      if (typeof one !== 'object' || one === null) entries.push([name, [one]])
      else {
        const inner = patternOf(one as Record<string, unknown>)
        if (inner !== undefined) entries.push([name, inner])
      }
    }
    return entries.length === 0 ? undefined : Object.fromEntries(entries)
  }

  test('a pattern made of an event meets it, and no event that lacks one of its fields', () => {
    for (let round = 0; round < 500; round++) {
      const event = { s: 'q', x: value(0), y: value(0) }
      const pattern = patternOf(event) ?? { s: ['q'] }
      expect(meets(pattern, event)).toBe(true)
      expect(meets({ ...pattern, s: ['r'] }, event)).toBe(false)
      expect(meets({ ...pattern, absent: [{ exists: false }] }, event)).toBe(true)
    }
  })

  test('present and absent exclude each other, and one of them holds', () => {
    for (let round = 0; round < 500; round++) {
      const event = { f: value(0), g: { f: value(1) } }
      for (const at of [(pattern: unknown) => ({ f: pattern }), (pattern: unknown) => ({ g: { f: pattern } })])
        expect(meets(at([{ exists: true }]), event)).toBe(!meets(at([{ exists: false }]), event))
    }
  })

  test('$or holds where one of its choices does', () => {
    for (let round = 0; round < 500; round++) {
      const event = { f: value(0), g: value(0) }
      const [one, other] = [{ f: [leaf()] }, { g: [leaf()] }]
      expect(meets({ $or: [one, other] }, event)).toBe(meets(one, event) || meets(other, event))
    }
  })
})
