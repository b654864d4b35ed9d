import { describe, expect } from 'bun:test'
import { resolve } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { run } from '../support/clients/run-command.ts'
import { ownEnvironment, startRegistry } from '../support/start-registry.ts'

const PROJECT = resolve(import.meta.dir, '../..')

describe('the examples run as they stand', () => {
  const runScript = (script: string) => {
    const path = [client('aws'), client('skopeo')].map((file) => resolve(file, '..')).join(':')
    const env = { ...ownEnvironment(), PATH: `${path}:${process.env.PATH}` }
    return run(['sh', script], { cwd: PROJECT, env, timeoutMs: 60_000 })
  }

  testWith('aws', 'skopeo')('first-push', async () => {
    const said = await runScript('examples/first-push/run.sh')
    expect(said).toContain('cannot be overwritten because the tag is immutable.')
    expect(said.trim()).toEndWith('hello from Ecru')
  })

  testWith('aws', 'skopeo')('lifecycle-test', async () => {
    const said = await runScript('examples/lifecycle-test/run.sh')
    expect(said).toContain('ahead  2 d 0 h\nmonday has expired\nwednesday is still there\n')
    expect(said.trim()).toEndWith('repositories  1\n0')
  })

  testWith('aws', 'skopeo')('webhook', async () => {
    expect(await runScript('examples/webhook/run.sh')).toBe(
      'ECR Repository Action CREATE team/app\nwhat is forged is refused\n',
    )
  })

  testWith()('air-gap', async () => {
    const said = await run(['sh', 'examples/air-gap/run.sh'], {
      cwd: PROJECT,
      env: ownEnvironment(),
      timeoutMs: 60_000,
    })
    const counts = [...said.matchAll(/^(copied images|present images) +(\d+)$/gm)].map(([, , count]) => Number(count))
    expect(counts).toEqual([1, 0, 1, 1])
  })

  testWith()('push-by-sdk', async () => {
    await using registry = await startRegistry({ memory: true })
    const said = await run([process.execPath, 'examples/push-by-sdk/push.ts'], {
      cwd: PROJECT,
      env: {
        ...ownEnvironment(),
        AWS_ENDPOINT_URL: registry.url,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
      },
      timeoutMs: 30_000,
    })
    expect(said).toContain('layer reads: not really a tar, but bytes are bytes')
  })
})
