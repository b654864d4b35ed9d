import { describe, expect } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { program } from '../support/start-registry.ts'

const TYPE = 'application/vnd.ecru.advisories.v1'

describe('advisories that are pushed to the repository for them', () => {
  const stage = useStage({ repositories: ['ecru/advisories'], env: { ECRU_ADVISORIES_REPOSITORY: 'ecru/advisories' } })
  const oras = (...args: string[]) =>
    run([client('oras'), ...args], {
      cwd: stage.dir,
      env: { DOCKER_CONFIG: stage.path('docker-config'), ORAS_CACHE: '' },
    })
  const status = () =>
    attempt([...program(), 'advisories', 'status', '--url', stage.url], { env: stage.awsEnvironment })

  testWith('oras')('are imported by the push alone, and the status says what became of it', async () => {
    const record = {
      id: 'DEBIAN-CVE-2026-1',
      modified: new Date().toISOString(),
      upstream: ['CVE-2026-1'],
      affected: [
        {
          package: { ecosystem: 'Debian:12', name: 'openssl' },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.10-1' }] }],
        },
      ],
    }
    expect((await status()).stdout).toContain('absent')
    await writeFile(stage.path('record.json'), JSON.stringify(record))
    const login = ['login', '--plain-http', '-u', 'AWS', '-p', stage.password, stage.host]
    await oras(...login)
    const to = `${stage.host}/ecru/advisories:latest`
    await oras('push', '--plain-http', to, '--artifact-type', TYPE, 'record.json:application/json')
    const until = Date.now() + 30_000
    let said = await status()
    while (!said.stdout.includes('IMPORTED') && Date.now() < until) said = await status()
    expect(said.stdout).toContain('IMPORTED')
    expect(said.stdout).toContain('Debian:12')
    expect(said.exitCode).toBe(0)
  })
})
