import { describe, expect } from 'bun:test'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { type Stage, useStage } from '../support/clients/stage.ts'
import { push } from '../support/clients/wire.ts'
import { type BuiltImage, buildImage } from '../support/image-builder.ts'
import { program } from '../support/start-registry.ts'

const REASON =
  "Refused by the admission rule for 'gate/*': the image has 1 finding of HIGH or worse: CVE-2026-1 in openssl"

/** An image of Debian 12 with an openssl of that version. */
function debian(version: string): BuiltImage {
  const stanza = `Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`
  return buildImage(version, {
    layers: [{ 'etc/os-release': 'ID=debian\nVERSION_ID="12"\n', 'var/lib/dpkg/status': stanza }],
  })
}

async function importAdvisory(stage: Stage): Promise<void> {
  const record = {
    id: 'DEBIAN-CVE-2026-1',
    modified: new Date().toISOString(),
    upstream: ['CVE-2026-1'],
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'openssl' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.10-1' }] }],
      },
    ],
  }
  await Bun.write(join(stage.path('osv'), 'DEBIAN-CVE-2026-1.json'), JSON.stringify(record))
}

describe('a rule of admission refuses pulls, and says why', () => {
  const stage = useStage({ repositories: ['gate/app'] })
  const ecru = (...args: string[]) =>
    attempt([...program(), ...args, '--url', stage.url], { env: stage.awsEnvironment })
  const aws = (...args: string[]) => run([client('aws'), ...args], { env: stage.awsEnvironment, cwd: stage.dir })

  testWith('aws')('set by the operator, for images that were scanned at their push', async () => {
    await importAdvisory(stage)
    expect((await ecru('advisories', 'import', stage.path('osv'))).exitCode).toBe(0)
    const scanning = ['--image-scanning-configuration', 'scanOnPush=true']
    await aws('ecr', 'put-image-scanning-configuration', '--repository-name', 'gate/app', ...scanning)
    await push(stage, 'gate/app', debian('3.0.9-1'), 'bad')
    await push(stage, 'gate/app', debian('3.0.10-1'), 'good')
    for (const tag of ['bad', 'good'])
      await aws('ecr', 'wait', 'image-scan-complete', '--repository-name', 'gate/app', '--image-id', `imageTag=${tag}`)
    expect((await ecru('admission', 'set', 'gate/*', '--severity', 'HIGH')).exitCode).toBe(0)
    const scan = await ecru('scan', 'gate/app:bad', '--exit-code', '3')
    expect([scan.exitCode, scan.stdout]).toEqual([3, expect.stringContaining('CVE-2026-1')])
    expect((await ecru('scan', 'gate/app:good', '--exit-code', '3')).exitCode).toBe(0)
  })

  testWith('crane')('crane pulls what is fine', async () => {
    const env = { DOCKER_CONFIG: stage.dir }
    await run([client('crane'), 'auth', 'login', stage.host, '-u', 'AWS', '-p', stage.password], { env })
    await run([client('crane'), 'pull', '--insecure', `${stage.host}/gate/app:good`, stage.path('good.tar')], { env })
    const refused = await attempt(
      [client('crane'), 'pull', '--insecure', `${stage.host}/gate/app:bad`, stage.path('bad.tar')],
      { env },
    )
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(REASON)])
  })

  testWith('skopeo')('skopeo too', async () => {
    const copy = async (tag: string) =>
      attempt([
        ...(await containersTool('skopeo', stage.dir)),
        ...['--insecure-policy', 'copy', '--src-tls-verify=false', '--src-creds', `AWS:${stage.password}`],
        ...[`docker://${stage.host}/gate/app:${tag}`, `dir:${stage.path(`skopeo-${tag}`)}`],
      ])
    expect((await copy('good')).exitCode).toBe(0)
    const refused = await copy('bad')
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(REASON)])
  })

  testWith('aws')('and the AWS CLI, image by image', async () => {
    const ids = ['--image-ids', 'imageTag=bad', 'imageTag=good']
    const answer = JSON.parse(await aws('ecr', 'batch-get-image', '--repository-name', 'gate/app', ...ids)) as {
      readonly images: readonly { readonly imageId: { readonly imageTag: string } }[]
      readonly failures: readonly object[]
    }
    expect(answer.images.map(({ imageId }) => imageId.imageTag)).toEqual(['good'])
    expect(answer.failures).toMatchObject([
      {
        imageId: { imageTag: 'bad' },
        failureCode: 'ImageInaccessible',
        failureReason: expect.stringContaining(REASON),
      },
    ])
  })

  testWith('crane')('until the finding is set aside', async () => {
    const add = ['suppressions', 'add', 'CVE-2026-1', '--reason', 'Not reachable.', '--repository', 'gate/app']
    expect((await ecru(...add)).exitCode).toBe(0)
    const env = { DOCKER_CONFIG: stage.dir }
    await run([client('crane'), 'pull', '--insecure', `${stage.host}/gate/app:bad`, stage.path('bad.tar')], { env })
  })

  testWith('oras')('a bill of materials is attached, and found', async () => {
    expect((await ecru('sbom', 'gate/app:good', '--attach')).exitCode).toBe(0)
    const found = await run([
      client('oras'),
      ...[
        'discover',
        '--plain-http',
        '--format',
        'json',
        '-u',
        'AWS',
        '-p',
        stage.password,
        `${stage.host}/gate/app:good`,
      ],
    ])
    expect(found).toContain('application/vnd.cyclonedx+json')
  })
})
