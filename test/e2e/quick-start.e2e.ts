import { describe, expect } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { run } from '../support/clients/run-command.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { freePort, ownEnvironment, untilReady } from '../support/start-registry.ts'

const test = testWith('aws', 'crane')
const PROJECT = resolve(import.meta.dir, '../..')

describe('the quick start works as a person types it', () => {
  test('npm start, the exports of `ecru env`, create-repository, login, push', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'ecru-quick-'))
    const port = await freePort()
    const env = { ...ownEnvironment(), ECRU_PORT: String(port), ECRU_DATA_DIR: join(dir, 'data') }
    const started = Bun.spawn(['npm', 'start'], {
      cwd: PROJECT,
      env,
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    try {
      await untilReady(`http://127.0.0.1:${port}`, started)
      await writeOciLayout(join(dir, 'layout'), { v1: buildImage('quick-start') })
      const script = [
        'set -euo pipefail',
        'eval "$(npx ecru env)"',
        'uri=$(aws ecr create-repository --repository-name quick/app --query repository.repositoryUri --output text)',
        'aws ecr get-login-password | crane auth login --username AWS --password-stdin "$(dirname "$(dirname "$uri")")"',
        `crane push ${join(dir, 'layout')} "$uri:v1"`,
        'aws ecr describe-images --repository-name quick/app --query "imageDetails[].imageTags[]" --output text',
      ]
      const path = [client('aws'), client('crane')].map((file) => resolve(file, '..')).join(':')
      const said = await run(['bash', '-c', script.join('\n')], {
        cwd: PROJECT,
        env: { ...env, PATH: `${path}:${process.env.PATH}`, DOCKER_CONFIG: join(dir, 'docker'), HOME: dir },
        timeoutMs: 60_000,
      })
      expect(said.trim().split('\n').at(-1)).toBe('v1')
    } finally {
      started.kill('SIGTERM')
      await started.exited
      await rm(dir, { recursive: true, force: true })
    }
  })
})
