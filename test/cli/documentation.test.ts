import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { EXAMPLE_ENV, exampleEnv, OPERATIONS_PAGE, withVariables } from '../../scripts/variables.ts'
import { variableNames } from '../../src/config/env.ts'

// `npm run docs` writes both.
test('docs/operations.md has a row for each variable, and no other', async () => {
  const page = await readFile(OPERATIONS_PAGE, 'utf8')
  expect(page).toBe(withVariables(page))
})

test('example.env has each variable with its default', async () => {
  expect(await readFile(EXAMPLE_ENV, 'utf8')).toBe(exampleEnv())
})

test('docs/operations.md shows nothing that is no variable', async () => {
  const named = (await readFile(OPERATIONS_PAGE, 'utf8')).match(/ECRU_[A-Z]+(?:_[A-Z]+)*(?![A-Z_])/g) ?? []
  const known: readonly string[] = variableNames
  expect([...new Set(named)].filter((name) => !known.includes(name))).toEqual([])
})
