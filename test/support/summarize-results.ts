import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ReportedTest, readJunit } from './junit.ts'

/**
 * Prints what all JUnit reports of a directory come to: a row for each report, every skipped and failed test with its
 * reason, and last the sums alone on a line. The exit code is 1 when a test failed or none ran.
 */
async function summarize(dir: string): Promise<number> {
  const files = (await readdir(dir)).filter((name) => name.endsWith('.xml')).toSorted()
  const reports = await Promise.all(
    files.map(async (file) => ({
      name: file.replace(/\.xml$/, ''),
      tests: readJunit(await readFile(join(dir, file), 'utf8')),
    })),
  )
  console.log('\npassed  failed  skipped')
  for (const { name, tests } of reports) {
    const counts = (['passed', 'failed', 'skipped'] as const).map((outcome) => String(count(tests, outcome)))
    console.log(`${counts.map((number, n) => number.padStart(n === 2 ? 7 : 6)).join('  ')}  ${name}`)
  }
  const all = reports.flatMap(({ name, tests }) => tests.map((test) => ({ ...test, name: `${name}: ${test.name}` })))
  for (const outcome of ['skipped', 'failed'] as const) {
    const chosen = all.filter((test) => test.outcome === outcome)
    if (chosen.length > 0) console.log(`\n${outcome}:`)
    for (const { name, reason } of chosen) console.log(`- ${name}${reason === '' ? '' : ` (${firstLines(reason)})`}`)
  }
  const [passed, failed, skipped] = (['passed', 'failed', 'skipped'] as const).map((outcome) => count(all, outcome))
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
  return failed === 0 && passed !== 0 ? 0 : 1
}

function count(tests: readonly ReportedTest[], outcome: ReportedTest['outcome']): number {
  return tests.filter((test) => test.outcome === outcome).length
}

function firstLines(reason: string): string {
  const line = reason.split('\n').slice(0, 3).join(' ').trim()
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

const [dir = '.'] = process.argv.slice(2)
process.exit(await summarize(dir))
