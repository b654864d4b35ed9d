import { afterAll, beforeAll } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr'
import { ecrClient, type RegistryOptions, type RunningRegistry, startRegistry } from '../start-registry.ts'

/** What an end-to-end test works with: a running Ecru, a login, and a directory for the client's own state. */
export interface Stage {
  readonly registry: RunningRegistry
  readonly host: string
  readonly url: string
  readonly password: string
  /** Removed when the stage closes. */
  readonly dir: string
  path(...parts: string[]): string
  createRepository(...names: string[]): Promise<void>
  /** The environment of AWS clients: endpoint, region, key; state in `dir`. */
  readonly awsEnvironment: Readonly<Record<string, string>>
  close(): Promise<void>
}

export interface StageOptions extends RegistryOptions {
  /** Created before the first test. */
  readonly repositories?: readonly string[]
}

const HOOK_TIMEOUT_MS = 60_000

/** A stage for the tests of the enclosing `describe`: opened before the first, closed after the last. Its members exist in tests only. */
export function useStage(options: StageOptions = {}): Stage {
  let opened: Stage | undefined
  beforeAll(async () => {
    opened = await openStage(options)
  }, HOOK_TIMEOUT_MS)
  afterAll(async () => {
    await opened?.close()
  }, HOOK_TIMEOUT_MS)
  const now = () => {
    if (opened === undefined) throw new Error('the stage is not open')
    return opened
  }
  return {
    get registry() {
      return now().registry
    },
    get host() {
      return now().host
    },
    get url() {
      return now().url
    },
    get password() {
      return now().password
    },
    get dir() {
      return now().dir
    },
    get awsEnvironment() {
      return now().awsEnvironment
    },
    path: (...parts) => now().path(...parts),
    createRepository: (...names) => now().createRepository(...names),
    close: () => now().close(),
  }
}

/** Starts an Ecru and logs in. The caller closes the stage. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const registry = await startRegistry(options)
  const { url, host } = registry
  const dir = await mkdtemp(join(tmpdir(), 'ecru-e2e-'))
  const close = async () => {
    await registry.stop()
    await rm(dir, { recursive: true, force: true })
  }
  const createRepository = async (...names: readonly string[]) => {
    const client = ecrClient(url)
    for (const repositoryName of names) await client.send(new CreateRepositoryCommand({ repositoryName }))
    client.destroy()
  }
  try {
    const password = await registry.password()
    await createRepository(...(options.repositories ?? []))
    return {
      registry,
      host,
      url,
      password,
      dir,
      path: (...parts) => join(dir, ...parts),
      createRepository,
      awsEnvironment: {
        AWS_ENDPOINT_URL: url,
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: '000000000000',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_PAGER: '',
        AWS_MAX_ATTEMPTS: '1',
        AWS_CONFIG_FILE: join(dir, 'aws-config'),
        AWS_SHARED_CREDENTIALS_FILE: join(dir, 'aws-credentials'),
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
