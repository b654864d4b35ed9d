import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'

const NAME = /'((?:ecru|process)_[a-z_]+)'/g

test('docs/metrics.md tells of each metric, and of no other', async () => {
  const named = new Set<string>()
  for await (const file of new Bun.Glob('src/app/metrics/*.ts').scan('.'))
    for (const [, name = ''] of (await readFile(file, 'utf8')).matchAll(NAME)) named.add(name)
  const page = await readFile('docs/metrics.md', 'utf8')
  const told = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name)
  expect(told.toSorted()).toEqual([...named].toSorted())
})
