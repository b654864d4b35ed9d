import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { type VariableName, variable, variableNames } from '../../src/config/env.ts'

/** The row of docs/operations.md about one variable. */
function rowOf(name: VariableName): string {
  const { default: fallback, flag, doc } = variable(name)
  const option = flag === undefined ? '' : `\`${flag.split(' ')[0]}\``
  return `| \`${name}\` | ${option} | ${fallback === undefined ? '' : `\`${fallback}\``} | ${doc} |`
}

/** The lines of example.env about one variable. */
function exampleOf(name: VariableName): string {
  const { default: fallback, doc } = variable(name)
  return `# ${doc}\n#${name}=${fallback ?? ''}\n`
}

test('docs/operations.md has a row for each variable, and no other', async () => {
  const rows = (await readFile('docs/operations.md', 'utf8')).split('\n').filter((line) => line.startsWith('| `ECRU_'))
  expect(rows).toEqual(variableNames.map(rowOf))
})

test('example.env has each variable with its default', async () => {
  const text = await readFile('example.env', 'utf8')
  expect(text.slice(text.indexOf('\n\n') + 2)).toBe(variableNames.map(exampleOf).join('\n'))
})

test('docs/operations.md shows nothing that is no variable', async () => {
  const named = (await readFile('docs/operations.md', 'utf8')).match(/ECRU_[A-Z]+(?:_[A-Z]+)*(?![A-Z_])/g) ?? []
  const known: readonly string[] = variableNames
  expect([...new Set(named)].filter((name) => !known.includes(name))).toEqual([])
})
