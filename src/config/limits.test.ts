import { expect, test } from 'bun:test'
import { AWS_PUBLIC_QUOTAS, AWS_QUOTAS, GENEROUS_QUOTAS } from '../domain/quotas.ts'
import { AWS_PUBLIC_RATES, AWS_RATES } from '../domain/rates.ts'
import { parseLimits, publicQuotasOf, publicRatesOf, QUOTA_NAMES, quotasOf, RATE_NAMES, ratesOf } from './limits.ts'

const none = { values: {} }

test('the fidelity decides while nothing else is said', () => {
  expect([quotasOf(none, 'oci'), quotasOf(none, 'aws')]).toEqual([GENEROUS_QUOTAS, AWS_QUOTAS])
  expect([ratesOf(none, 'oci'), ratesOf(none, 'aws')]).toEqual([{}, AWS_RATES])
})

test('single values go over those of AWS, or over none', () => {
  const rates = parseLimits('aws, PutImage=50', RATE_NAMES)
  expect(rates).toEqual({ base: 'aws', values: { PutImage: 50 } })
  expect(rates && ratesOf(rates, 'oci')).toEqual({ ...AWS_RATES, PutImage: 50 })
  const quotas = parseLimits('off,imagesPerRepository=7,tagsPerImage=3', QUOTA_NAMES)
  expect(quotas && quotasOf(quotas, 'aws')).toEqual({ ...GENEROUS_QUOTAS, imagesPerRepository: 7, tagsPerImage: 3 })
})

test.each([
  '',
  'all',
  'aws,off',
  'PutImage',
  'PutImage=0',
  'PutImage=-1',
  'PutImage=1,PutImage=2',
  'ecr:PutImage=1',
  'Foo=1',
])('%p limits nothing that there is', (text) => expect(parseLimits(text, RATE_NAMES)).toBeUndefined())

test('whatever has a rate of AWS can be given another', () => {
  expect(Object.keys(AWS_RATES).filter((name) => !RATE_NAMES.includes(name))).toEqual([])
})

test('public registries have AWS’s numbers of their own, and share whatever else is said', () => {
  expect([publicQuotasOf(none, 'oci'), publicQuotasOf(none, 'aws')]).toEqual([GENEROUS_QUOTAS, AWS_PUBLIC_QUOTAS])
  expect([publicRatesOf(none, 'oci'), publicRatesOf(none, 'aws')]).toEqual([{}, AWS_PUBLIC_RATES])
  expect(publicRatesOf({ values: { PutImage: 50 } }, 'aws')).toEqual({ ...AWS_PUBLIC_RATES, PutImage: 50 })
  expect(publicQuotasOf({ base: 'off', values: { layerParts: 7 } }, 'aws')).toMatchObject({ layerParts: 7 })
})
