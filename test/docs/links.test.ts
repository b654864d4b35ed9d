import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const PAGES = ['*.md', 'docs/*.md', 'deploy/**/*.md', 'examples/**/*.md', 'terraform/**/*.md']

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

async function pages(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const pattern of PAGES)
    for await (const path of new Bun.Glob(pattern).scan('.')) found.set(path, await Bun.file(path).text())
  return found
}

test('every link between the pages leads to something that is there', async () => {
  const known = await pages()
  const dead: string[] = []
  for (const [path, text] of known)
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const place = file === '' ? path : normalize(join(dirname(path), file))
      const page = known.get(place)
      if (!existsSync(place)) dead.push(`${path}: ${target}`)
      else if (anchor !== undefined && page !== undefined && !anchorsOf(page).has(anchor))
        dead.push(`${path}: ${target}`)
    }
  expect(known.size).toBeGreaterThan(10)
  expect(dead).toEqual([])
})
