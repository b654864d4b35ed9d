import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isRepositoryName, isTag, parseRegion, parseRegistryId, parseRepositoryName, parseTag } from './names.ts'

/** ECR's own pattern as one expression: slow on hostile input, so it serves as the oracle only. */
const ECR_PATTERN = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/

describe('a repository name', () => {
  test.each(['ab', 'a0', 'team/app', 'a.b_c__d---e/f', 'a/b/c/d', 'x'.repeat(256)])('may be %p', (name) => {
    expect(parseRepositoryName(name) as string).toBe(name)
  })

  test.each([
    'a',
    '',
    'x'.repeat(257),
    'App',
    'a//b',
    '/ab',
    'ab/',
    'a..b',
    'a___b',
    '-ab',
    'ab-',
    'a._b',
    'a b',
    'a/../b',
    'ab\n',
    'ä1',
  ])('is not %p', (name) => {
    expect(isRepositoryName(name)).toBe(false)
    expect(() => parseRepositoryName(name)).toThrow(expect.objectContaining({ code: 'repository-name-invalid' }))
  })

  test('is what the pattern of the model says', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '0', '.', '_', '-', '/', 'A'), minLength: 2, maxLength: 12 })
    fc.assert(
      fc.property(text, (name) => isRepositoryName(name) === ECR_PATTERN.test(name)),
      { numRuns: 2000 },
    )
  })

  test('is told from a hostile text at once', () => {
    const startedAt = performance.now()
    expect(isRepositoryName(`${'a-'.repeat(127)}!`)).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })
})

describe('a tag', () => {
  test.each(['latest', 'v1.0-rc_1', '_x', '1', 'A'.repeat(300)])('may be %p', (tag) => {
    expect(parseTag(tag) as string).toBe(tag)
  })

  test.each(['', '.a', '-a', 'a b', 'a/b', 'a:b', 'A'.repeat(301), 'ä', 'a\n'])('is not %p', (tag) => {
    expect(isTag(tag)).toBe(false)
    expect(() => parseTag(tag)).toThrow(expect.objectContaining({ code: 'tag-invalid' }))
  })
})

test('a registry id has twelve digits', () => {
  expect(parseRegistryId('012345678901') as string).toBe('012345678901')
  expect(() => parseRegistryId('12345')).toThrow(expect.objectContaining({ code: 'invalid-parameter' }))
})

test('a region has 2 to 25 lower-case letters, digits and hyphens', () => {
  expect(parseRegion('eu-west-3') as string).toBe('eu-west-3')
  expect(() => parseRegion('EU')).toThrow(expect.objectContaining({ code: 'invalid-parameter' }))
})
