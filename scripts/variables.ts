import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type VariableName, variable, variableNames } from '../src/config/env.ts'

const ROOT = join(import.meta.dir, '..')
export const OPERATIONS_PAGE = join(ROOT, 'docs', 'operations.md')
export const EXAMPLE_ENV = join(ROOT, 'example.env')

/** The operators' page with one row for each variable in its table. */
export function withVariables(page: string): string {
  const lines = page.split('\n')
  const isRow = (line: string) => line.startsWith('| `ECRU_')
  const first = lines.findIndex(isRow)
  if (first < 0) throw new Error('The page has no table of variables')
  const others = lines.filter((line) => !isRow(line))
  return [...others.slice(0, first), ...variableNames.map(rowOf), ...others.slice(first)].join('\n')
}

/** A file of settings that changes nothing: each variable with its default, commented out. */
export function exampleEnv(): string {
  const heading =
    '# Settings of Ecru, with their defaults. Remove the # before a name to change one.\n# docs/operations.md says more about them.\n'
  return [heading, ...variableNames.map(exampleOf)].join('\n')
}

export async function writeVariables(): Promise<void> {
  await writeFile(OPERATIONS_PAGE, withVariables(await readFile(OPERATIONS_PAGE, 'utf8')))
  await writeFile(EXAMPLE_ENV, exampleEnv())
}

function rowOf(name: VariableName): string {
  const { default: fallback, flag, doc } = variable(name)
  const option = flag === undefined ? '' : `\`${flag.split(' ')[0]}\``
  return `| \`${name}\` | ${option} | ${fallback === undefined ? '' : `\`${fallback}\``} | ${doc} |`
}

function exampleOf(name: VariableName): string {
  const { default: fallback, doc } = variable(name)
  return `# ${doc}\n#${name}=${fallback ?? ''}\n`
}
