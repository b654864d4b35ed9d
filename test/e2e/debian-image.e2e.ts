import { describe, expect } from 'bun:test'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { program } from '../support/start-registry.ts'

const RULES = JSON.stringify([
  { scanFrequency: 'SCAN_ON_PUSH', repositoryFilters: [{ filter: 'debian/*', filterType: 'WILDCARD' }] },
])
const SITE_PACKAGES = 'usr/local/lib/python3.11/dist-packages'

/** Flaws of everything that is in the image, of any version: what is reported says what was seen. */
const FLAWS = [
  ['DEBIAN-CVE-2026-101', 'Debian:12', 'openssl', 'CVE-2026-101'],
  ['DEBIAN-CVE-2026-102', 'Debian:12', 'python-urllib3', 'CVE-2026-102'],
  ['GHSA-urll-urll-urll', 'PyPI', 'urllib3', 'CVE-2026-103'],
  ['GHSA-sixx-sixx-sixx', 'PyPI', 'six', 'CVE-2026-104'],
] as const

interface Finding {
  readonly title: string
  readonly packageVulnerabilityDetails: {
    readonly vulnerablePackages: readonly { readonly name: string; readonly version: string }[]
  }
}

describe('an image of Debian packages', () => {
  const stage = useStage({ repositories: ['debian/app'] })
  const aws = (...args: string[]) => run([client('aws'), ...args], { env: stage.awsEnvironment, cwd: stage.dir })
  const at = (...path: string[]) => stage.path(path.join('/'))

  testWith(
    'aws',
    'buildah',
    'dpkg',
    'debian-packages',
  )('that buildah pushes is scanned: Python of Debian’s is Debian’s matter, Python of pip’s is PyPI’s', async () => {
    await aws('ecr', 'put-registry-scanning-configuration', '--scan-type', 'ENHANCED', '--rules', RULES)
    await writeAdvisories(at('osv'))
    await run([...program(), 'advisories', 'import', at('osv'), '--url', stage.url], { env: stage.awsEnvironment })
    await unpackPackages(at('root'))
    await installByPip(at('root'), 'six', '1.15.0')

    const buildah = async (...args: string[]) =>
      run([
        ...(await containersTool('buildah', stage.dir)),
        ...['--root', at('storage'), '--runroot', '/run/buildah', '--storage-driver', 'vfs', ...args],
      ])
    const container = (await buildah('from', 'scratch')).trim()
    await buildah('copy', '-q', container, at('root'), '/')
    await buildah('commit', '-q', container, 'localhost/debian:v1')
    const access = ['--tls-verify=false', '--creds', `AWS:${stage.password}`]
    await buildah('push', '-q', ...access, 'localhost/debian:v1', `docker://${stage.host}/debian/app:v1`)

    const image = ['--repository-name', 'debian/app', '--image-id', 'imageTag=v1']
    await aws('ecr', 'wait', 'image-scan-complete', ...image)
    const { imageScanFindings } = JSON.parse(await aws('ecr', 'describe-image-scan-findings', ...image)) as {
      readonly imageScanFindings: { readonly enhancedFindings: readonly Finding[] }
    }
    const found = imageScanFindings.enhancedFindings.map(({ title, packageVulnerabilityDetails }) => [
      title,
      packageVulnerabilityDetails.vulnerablePackages.map(({ name }) => name).sort(),
    ])
    expect(found.toSorted()).toEqual([
      ['CVE-2026-101 - libssl3', ['libssl3']],
      ['CVE-2026-101 - openssl', ['openssl']],
      ['CVE-2026-102 - python3-urllib3', ['python3-urllib3']],
      ['CVE-2026-104 - six', ['six']],
    ])
    const six = imageScanFindings.enhancedFindings.find(({ title }) => title.includes('six'))
    expect(six?.packageVulnerabilityDetails.vulnerablePackages.map(({ version }) => version)).toEqual(['1.15.0'])
  })
})

/** As dpkg unpacks them, with its lists of files; nothing is configured, since there is no shell in there. */
async function unpackPackages(root: string): Promise<void> {
  for (const directory of ['info', 'updates', 'triggers'])
    await mkdir(join(root, 'var/lib/dpkg', directory), { recursive: true })
  const status = join(root, 'var/lib/dpkg/status')
  await writeFile(status, '')
  const packages = client('debian-packages')
  const files = (await readdir(packages)).filter((name) => name.endsWith('.deb')).map((name) => join(packages, name))
  await run([client('dpkg'), `--root=${root}`, '--force-all', '--log=/dev/null', '--unpack', ...files])
  await writeFile(status, (await readFile(status, 'utf8')).replaceAll(' ok unpacked\n', ' ok installed\n'))
}

async function installByPip(root: string, name: string, version: string): Promise<void> {
  const directory = join(root, SITE_PACKAGES, `${name}-${version}.dist-info`)
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'METADATA'), `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`)
  await writeFile(join(directory, 'INSTALLER'), 'pip\n')
}

async function writeAdvisories(directory: string): Promise<void> {
  for (const [id, ecosystem, name, cve] of FLAWS)
    await Bun.write(
      join(directory, `${id}.json`),
      JSON.stringify({
        id,
        modified: new Date().toISOString(),
        upstream: id.startsWith('DEBIAN') ? [cve] : [],
        aliases: id.startsWith('GHSA') ? [cve] : [],
        details: `${cve} of ${name}.`,
        affected: [{ package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }] }],
      }),
    )
}
