import { expect, test } from 'bun:test'
import { readJunit, writeJunit } from './junit.ts'

test('a written report reads back, with names and reasons of any characters', () => {
  const tests = [
    { name: 'good', outcome: 'passed', reason: '' },
    { name: 'a <b> & "c"', outcome: 'failed', reason: 'expected "1"\nreceived <2>' },
    { name: 'later', outcome: 'skipped', reason: 'no engine' },
  ] as const
  expect(readJunit(writeJunit('suite', tests))).toEqual(
    tests.map((each) => ({ ...each, name: `suite > ${each.name}` })),
  )
})

test('suites within suites give their names, and a status counts like an element', () => {
  const xml = `<testsuites><testsuite name="file"><testsuite name="group">
    <testcase name="one" status="failure"><system-out>wrong answer</system-out></testcase>
    <testcase name="two" status="skipped"><system-out>not supported</system-out></testcase>
    <testcase name="three"><skipped/></testcase></testsuite>
    <testcase name="four" status="passed"/></testsuite></testsuites>`
  expect(readJunit(xml)).toEqual([
    { name: 'file > four', outcome: 'passed', reason: '' },
    { name: 'file > group > one', outcome: 'failed', reason: 'wrong answer' },
    { name: 'file > group > two', outcome: 'skipped', reason: 'not supported' },
    { name: 'file > group > three', outcome: 'skipped', reason: '' },
  ])
})
