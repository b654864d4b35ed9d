import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

const MODULES = resolve(import.meta.dir, '../../terraform/modules')

interface Declared {
  readonly name: string
  readonly body: string
}

/** The blocks of one kind at the top of a file, in order. */
function declared(source: string, kind: 'output' | 'variable'): readonly Declared[] {
  const blocks = source.matchAll(new RegExp(`^${kind} "(\\w+)" \\{\\n(.*?)^\\}`, 'gms'))
  return [...blocks].map(([, name = '', body = '']) => ({ name, body }))
}

const attribute = ({ body }: Declared, name: string) => new RegExp(`^  ${name} +?= (.*)$`, 'm').exec(body)?.[1]
const description = (block: Declared) => JSON.parse(attribute(block, 'description') ?? '""') as string

for (const module of ['ecr', 'repository', 'github-oidc'])
  test(`the tables of ${module}'s README are its variables and outputs`, async () => {
    const [readme = '', variables = '', outputs = ''] = await Promise.all(
      ['README.md', 'variables.tf', 'outputs.tf'].map((file) => readFile(resolve(MODULES, module, file), 'utf8')),
    )
    const inputs = declared(variables, 'variable').map((block) => {
      const standard = attribute(block, 'default')
      const shown = standard === undefined ? 'required' : `\`${standard}\``
      return `| \`${block.name}\` | \`${attribute(block, 'type')}\` | ${shown} | ${description(block)} |`
    })
    const answers = declared(outputs, 'output').map((block) => `| \`${block.name}\` | ${description(block)} |`)
    expect(inputs.length * answers.length).toBeGreaterThan(0)
    const rows = readme.split('\n').filter((line) => /^\| `\w+` \|/.test(line))
    expect(rows).toEqual([...inputs, ...answers])
  })

test('a variable of every module has a type and a description', async () => {
  for (const module of ['ecr', 'repository', 'github-oidc']) {
    const blocks = declared(await readFile(resolve(MODULES, module, 'variables.tf'), 'utf8'), 'variable')
    const bare = blocks.filter((block) => attribute(block, 'type') === undefined || description(block) === '')
    expect(bare.map(({ name }) => name)).toEqual([])
  }
})
