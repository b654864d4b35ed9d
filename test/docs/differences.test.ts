import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { variableNames } from '../../src/config/env.ts'

/** The rows about differences: what ECR does, what Ecru does, the setting that changes it, the test that holds it. */
async function rows(): Promise<readonly (readonly string[])[]> {
  const text = await Bun.file('docs/differences-from-aws.md').text()
  const tables = text.split('\n').filter((line) => line.startsWith('|'))
  const cells = tables.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
  return cells.filter(([first = '', , , last]) => !/^-+$/.test(first) && last !== 'test')
}

test('every difference names a test file that is there', async () => {
  const wrong = (await rows()).filter(
    (row) => row.length !== 4 || !/\.(test|e2e)\.ts$/.test(row[3] ?? '') || !existsSync(row[3] ?? ''),
  )
  expect(wrong).toEqual([])
  expect((await rows()).length).toBeGreaterThan(40)
})

test('every setting named there is one', async () => {
  const named = (await rows()).flatMap((row) => row.join(' ').match(/ECRU_[A-Z_]+/g) ?? [])
  const known: readonly string[] = variableNames
  expect(named.length).toBeGreaterThan(0)
  expect(named.filter((name) => !known.includes(name))).toEqual([])
})
