import { expect, test } from 'bun:test'
import { dirname, join, normalize } from 'node:path'

/** The rooms of `src/`, and which of them each one may import. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  lib: ['domain'],
  config: ['domain', 'lib'],
  'stores (interfaces)': ['domain'],
  'stores/audit': ['stores (interfaces)', 'domain', 'lib'],
  'stores/blobs': ['stores (interfaces)', 'domain', 'lib'],
  'stores/metadata': ['stores (interfaces)', 'domain', 'lib'],
  'stores/advisories': ['stores (interfaces)', 'domain', 'lib'],
  clients: ['domain', 'lib'],
  backup: ['domain', 'lib'],
  moving: ['clients', 'domain', 'lib'],
  services: ['stores (interfaces)', 'domain', 'lib'],
  workers: ['services', 'domain', 'lib'],
  jobs: ['services', 'backup', 'stores (interfaces)', 'domain', 'lib'],
  tls: ['config', 'lib'],
  'protocols (shared)': ['domain', 'lib'],
  'protocols/http': ['protocols (shared)', 'tls', 'domain', 'lib', 'config'],
  'protocols/aws': ['protocols (shared)', 'protocols/http', 'domain', 'lib'],
  'protocols/oci': ['protocols (shared)', 'protocols/http', 'services', 'domain', 'lib', 'stores (interfaces)'],
  'protocols/ecr': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/ecr-public': [
    'protocols (shared)',
    'protocols/http',
    'protocols/aws',
    'protocols/ecr',
    'services',
    'domain',
    'lib',
    'stores (interfaces)',
  ],
  'protocols/iam': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/kms': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/secretsmanager': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/events': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/cloudwatch': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/cloudtrail': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/inspector2': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/sts': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'services', 'domain', 'lib'],
  'protocols/operator': ['protocols (shared)', 'protocols/http', 'protocols/aws', 'jobs', 'services', 'domain', 'lib'],
  app: [
    'stores/audit',
    'stores/blobs',
    'stores/metadata',
    'stores/advisories',
    'stores (interfaces)',
    'clients',
    'backup',
    'services',
    'jobs',
    'workers',
    'domain',
    'lib',
    'config',
    '*protocols',
  ],
  cli: [
    'app',
    'backup',
    'clients',
    'moving',
    'config',
    'domain',
    'lib',
    'jobs',
    'tls',
    'protocols/http',
    'protocols (shared)',
  ],
  main: ['cli', 'app', 'config', 'lib', 'protocols/http'],
}

/** Drivers are named by the composition root alone, where stores are opened. */
const DRIVERS = /^src\/stores\/(advisories|audit|blobs|metadata)\//

const OPENERS = ['src/app/audit-log.ts', 'src/app/foundation.ts', 'src/app/restoration.ts']

function roomOf(file: string): string {
  const [, first = '', second = ''] = file.split('/')
  if (first === 'app.ts') return 'app'
  if (first === 'main.ts') return 'main'
  if (first === 'stores') return second.endsWith('.ts') ? 'stores (interfaces)' : `stores/${second}`
  if (first === 'protocols') return second.endsWith('.ts') ? 'protocols (shared)' : `protocols/${second}`
  return first
}

interface Import {
  readonly from: string
  readonly to: string
}

async function sourceFiles(): Promise<readonly string[]> {
  const files: string[] = []
  for await (const file of new Bun.Glob('src/**/*.ts').scan('.')) if (!file.endsWith('.test.ts')) files.push(file)
  return files.sort()
}

async function imports(): Promise<readonly Import[]> {
  const found: Import[] = []
  for (const from of await sourceFiles()) {
    const text = await Bun.file(from).text()
    for (const [, path = ''] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g))
      found.push({ from, to: normalize(join(dirname(from), path)) })
  }
  return found
}

test('each room of src imports only the rooms it may', async () => {
  const wrong = (await imports()).filter(({ from, to }) => {
    const room = roomOf(from)
    if (to.startsWith('models/')) return !room.startsWith('protocols')
    if (to === 'package.json') return room !== 'config'
    const target = roomOf(to)
    const allowed = ARROWS[room]
    if (allowed === undefined) return true
    if (allowed.includes('*protocols') && target.startsWith('protocols')) return false
    return target !== room && !allowed.includes(target)
  })
  expect(wrong).toEqual([])
})

test('only the foundation of the application names a driver', async () => {
  const wrong = (await imports()).filter(
    ({ from, to }) => DRIVERS.test(to) && !OPENERS.includes(from) && roomOf(from) !== roomOf(to),
  )
  expect(wrong).toEqual([])
})

test('the domain reads no clock, no randomness and no environment', async () => {
  const forbidden = /\bDate\.now\(|new Date\(\)|Math\.random\(|process\.|Bun\.|from 'node:|\bfetch\(/
  const wrong: string[] = []
  for (const file of await sourceFiles())
    if (file.startsWith('src/domain/') && forbidden.test(await Bun.file(file).text())) wrong.push(file)
  expect(wrong).toEqual([])
})

test('no protocol decides who may do what: it asks a service, which asks', async () => {
  const wrong: string[] = []
  for (const file of await sourceFiles())
    if (
      file.startsWith('src/protocols/') &&
      /services\/access\/access\.ts'|\.authorize(All)?\(/.test(await Bun.file(file).text())
    )
      wrong.push(file)
  expect(wrong).toEqual([])
})

test('no file imports itself by a circle', async () => {
  const edges = new Map<string, string[]>()
  for (const { from, to } of await imports()) edges.set(from, [...(edges.get(from) ?? []), to])
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const next of edges.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of edges.keys()) visit(file, [])
  expect(circles).toEqual([])
})

test('no source file is too long to hold in mind', async () => {
  const long: string[] = []
  for (const file of await sourceFiles()) {
    const lines = (await Bun.file(file).text()).split('\n').length
    if (lines > 420) long.push(`${file}: ${lines} lines`)
  }
  expect(long).toEqual([])
})
