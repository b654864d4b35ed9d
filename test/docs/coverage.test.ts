import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { COVERAGE_PAGE, coveragePage } from '../../scripts/coverage.ts'

test('docs/coverage.md says what the code does (npm run docs writes it)', async () => {
  expect(await Bun.file(COVERAGE_PAGE).text()).toBe(coveragePage())
})

test('every handled operation has the file that the page names', () => {
  const files = [...coveragePage().matchAll(/\]\((\.\.\/[^)]+)\)/g)].map(([, path = '']) =>
    join(dirname(COVERAGE_PAGE), path),
  )
  expect(files.length).toBeGreaterThan(0)
  expect(files.filter((file) => !existsSync(file))).toEqual([])
})

test('every member of every input that is handled has variants', () => {
  const counts = [...coveragePage().matchAll(/^\| .+ \| (\d+) \|$/gm)].map(([, count]) => Number(count))
  expect(counts.length).toBeGreaterThan(200)
  expect(counts.filter((count) => count === 0)).toEqual([])
})
