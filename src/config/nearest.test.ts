import { expect, test } from 'bun:test'
import { nearest } from './nearest.ts'

test('the nearest is the one with the fewest changes', () => {
  expect(nearest('ECRU_PROT', ['ECRU_HOST', 'ECRU_PORT', 'ECRU_PROFILE'])).toBe('ECRU_PORT')
  expect(nearest('ECRU_DATADIR', ['ECRU_MEMORY', 'ECRU_DATA_DIR'])).toBe('ECRU_DATA_DIR')
})

test('among nothing there is no nearest', () => expect(nearest('x', [])).toBeUndefined())
