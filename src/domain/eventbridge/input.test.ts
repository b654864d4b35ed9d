import { expect, test } from 'bun:test'
import { checkTargetInput, type TargetInput, targetText } from './input.ts'

const event = {
  source: 'aws.ecr',
  resources: ['arn:a', 'arn:b'],
  detail: { 'image-tag': 'v"1"', count: 3, counts: { HIGH: 2 }, 'a b': true },
}
const facts = {
  ruleName: 'pushes',
  ruleArn: 'arn:aws:events:eu-west-3:123456789012:rule/pushes',
  ingestedAt: new Date('2026-03-02T08:00:00Z'),
}
const print = (input: TargetInput) => targetText(input, event, facts)
const fill = (template: string, paths: Readonly<Record<string, string>> = {}) =>
  print({ kind: 'template', paths, template })
const refusal = (input: TargetInput) => {
  try {
    checkTargetInput('t', input)
    return undefined
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

test('a target is sent the event, a constant, or a part', () => {
  expect(print({ kind: 'event' })).toBe(JSON.stringify(event))
  expect(print({ kind: 'constant', json: '{"a": 1}' })).toBe('{"a": 1}')
  expect(print({ kind: 'path', path: '$.detail.counts' })).toBe('{"HIGH":2}')
  expect(print({ kind: 'path', path: '$' })).toBe(JSON.stringify(event))
  expect(print({ kind: 'path', path: "$.detail['a b']" })).toBe('true')
  expect(print({ kind: 'path', path: '$.resources[1]' })).toBe('"arn:b"')
  expect(print({ kind: 'path', path: '$.none.at.all' })).toBe('null')
})

test('a template takes JSON outside of quotation marks, and text inside', () => {
  const paths = { tag: '$.detail.image-tag', count: '$.detail.count', counts: '$.detail.counts', none: '$.none' }
  expect(
    JSON.parse(fill('{"a": <tag>, "b": <counts>, "c": "<count> of <tag>", "d": <none>, "e": "<none>"}', paths)),
  ).toEqual({
    a: 'v"1"',
    b: { HIGH: 2 },
    c: '3 of v"1"',
    d: null,
    e: '',
  })
  expect(JSON.parse(fill('{"text": "<counts>"}', paths))).toEqual({ text: '{"HIGH":2}' })
  expect(fill('"<count> pushed"\n"as <tag>"', paths)).toBe('"3 pushed"\n"as v\\"1\\""')
})

test('a template knows the rule, the time and the event', () => {
  expect(fill('{"r": "<aws.events.rule-name>", "t": <aws.events.event.ingestion-time>}')).toBe(
    '{"r": "pushes", "t": "2026-03-02T08:00:00.000Z"}',
  )
  expect(JSON.parse(fill('{"e": <aws.events.event.json>}'))).toEqual({ e: event })
  expect(JSON.parse(fill('{"e": <aws.events.event>}'))).toEqual({
    e: { source: 'aws.ecr', resources: ['arn:a', 'arn:b'] },
  })
})

test('what could not work with any event is refused', () => {
  expect(refusal({ kind: 'event' })).toBeUndefined()
  expect(refusal({ kind: 'constant', json: '{' })).toContain('JSON syntax error in input for target t')
  expect(refusal({ kind: 'path', path: 'detail' })).toContain('Invalid InputPath for target t')
  expect(refusal({ kind: 'path', path: '$..detail' })).toContain('Invalid InputPath')
  const template = (text: string, paths: Readonly<Record<string, string>> = { a: '$.a' }) =>
    refusal({ kind: 'template', paths, template: text })
  expect(template('{"x": <a>}')).toBeUndefined()
  expect(template('"text of <a>"')).toBeUndefined()
  expect(template('{"x": <b>}')).toContain('invalid placeholder b')
  expect(template('{"x": <a>')).toContain('does not make valid JSON')
  expect(template('{"x": <a>}', { a: '$.[' })).toContain('Invalid InputPath')
  expect(template('"<awsX>"', { awsX: '$.a' })).toContain('must not begin a name with AWS')
})
