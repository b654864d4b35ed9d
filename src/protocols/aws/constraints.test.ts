import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import cloudtrail from '../../../models/cloudtrail.json' with { type: 'json' }
import ecr from '../../../models/ecr.json' with { type: 'json' }
import ecrPublic from '../../../models/ecr-public.json' with { type: 'json' }
import iam from '../../../models/iam.json' with { type: 'json' }
import sts from '../../../models/sts.json' with { type: 'json' }
import { REPOSITORY_NAME_PATTERN } from '../../domain/names.ts'
import { isLongerThan, isShorterThan, matcherFor } from './constraints.ts'
import type { ServiceModel } from './model.ts'

const MODELS: readonly ServiceModel[] = [ecr, ecrPublic, sts, iam, cloudtrail]

const patterns = [
  ...new Set(MODELS.flatMap(({ shapes }) => Object.values(shapes).flatMap((shape) => shape?.pattern ?? []))),
]

describe('patterns of the models', () => {
  test('mean the whole text', () => {
    const isRegistryId = matcherFor('[0-9]{12}')
    expect(isRegistryId('012345678901')).toBe(true)
    for (const text of ['0123456789012', 'a012345678901', '012345678901\n']) expect(isRegistryId(text)).toBe(false)
    const isKeyOrEmpty = matcherFor('^$|arn:aws')
    expect([isKeyOrEmpty(''), isKeyOrEmpty('arn:aws'), isKeyOrEmpty('xarn:aws')]).toEqual([true, true, false])
  })

  test('that were rewritten accept what the originals accept', () => {
    const alphabet = fc.constantFrom(...'a1*._-/A')
    for (const pattern of [REPOSITORY_NAME_PATTERN, '^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$']) {
      const original = new RegExp(`^(?:${pattern})$`)
      const matches = matcherFor(pattern)
      // Short enough for the original to end.
      const text = fc.string({ unit: alphabet, minLength: 2, maxLength: 12 })
      fc.assert(
        fc.property(text, (text) => matches(text) === original.test(text)),
        { numRuns: 500 },
      )
    }
  })

  // A pattern that backtracks exponentially would not come back from this.
  test.each(patterns)('%p refuses long texts', (pattern) => {
    const matches = matcherFor(pattern)
    for (const piece of ['a', '-', 'a-', 'a_', 'a/', 'a.a', '*', '/a', 'arn:aws', ' '])
      for (const end of ['\u0000', '!', '\n']) matches(piece.repeat(Math.ceil(300 / piece.length)) + end)
  })
})

test('length counts characters, not UTF-16 units', () => {
  expect(isLongerThan('😀😀', 2)).toBe(false)
  expect(isLongerThan('😀😀a', 2)).toBe(true)
  expect(isLongerThan('aaaaa', 2)).toBe(true)
  expect(isShorterThan('😀', 2)).toBe(true)
  expect(isShorterThan('😀😀', 2)).toBe(false)
  expect(isShorterThan('', 1)).toBe(true)
})
