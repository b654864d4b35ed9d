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

/** Starts an Ecru and logs in. The caller closes the stage. */
export async function openStage(options: RegistryOptions = {}): Promise<Stage> {
  const registry = await startRegistry(options)
  const dir = await mkdtemp(join(tmpdir(), 'ecru-e2e-'))
  const close = async () => {
    await registry.stop()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    const password = await registry.password()
    const { url, host } = registry
    return {
      registry,
      host,
      url,
      password,
      dir,
      path: (...parts) => join(dir, ...parts),
      createRepository: async (...names) => {
        const client = ecrClient(url)
        for (const repositoryName of names) await client.send(new CreateRepositoryCommand({ repositoryName }))
        client.destroy()
      },
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
