import { describe, expect } from 'bun:test'
import { resolve } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { run } from '../support/clients/run-command.ts'
import { ownEnvironment, startRegistry } from '../support/start-registry.ts'

const PROJECT = resolve(import.meta.dir, '../..')

describe('the examples run as they stand', () => {
  testWith('aws', 'skopeo')('first-push', async () => {
    const path = [client('aws'), client('skopeo')].map((file) => resolve(file, '..')).join(':')
    const said = await run(['sh', 'examples/first-push/run.sh'], {
      cwd: PROJECT,
      env: { ...ownEnvironment(), PATH: `${path}:${process.env.PATH}` },
      timeoutMs: 60_000,
    })
    expect(said).toContain('cannot be overwritten because the tag is immutable.')
    expect(said.trim()).toEndWith('hello from Ecru')
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
