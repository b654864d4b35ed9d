import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CreatePullThroughCacheRuleCommand, ECRClient } from '@aws-sdk/client-ecr'
import { CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { type Containerd, startContainerd } from '../support/clients/containerd.ts'
import { type Docker, startDocker } from '../support/clients/docker.ts'
import { inPrivateMounts } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { missingBelow } from '../support/clients/wire.ts'
import { buildImage, buildIndex, sha256 } from '../support/image-builder.ts'
import { freePort, program, type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { UpstreamRegistry } from '../support/upstream-registry.ts'

const HUB_HOST = 'hub.mirror.test'
const ACCOUNT = '000000000000'
const PULL = [
  ...['BatchGetImage', 'GetDownloadUrlForLayer', 'BatchCheckLayerAvailability', 'ListImages'],
  ...['BatchImportUpstreamImage', 'CreateRepository'],
].map((action) => `ecr:${action}`)

describe('clients pull images of other registries under their own names', () => {
  const index = buildIndex(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage(`hub-${architecture}`, { platform: { os: 'linux', architecture } }),
    ),
  )
  const image = buildImage('hub', { format: 'docker' })
  let dir: string
  let hub: UpstreamRegistry
  let registry: RunningRegistry
  let token: string
  let tokenFile: string
  let containerd: Containerd | undefined
  let docker: Docker | undefined

  const ecru = (...args: readonly string[]) =>
    run([...program(), ...args], {
      cwd: resolve(import.meta.dir, '../..'),
      env: { ECRU_DATA_DIR: join(dir, 'data'), AWS_ACCESS_KEY_ID: ACCOUNT, AWS_SECRET_ACCESS_KEY: 'test' },
    })
  /** Runs what is printed, in a directory instead of `/etc`. */
  const setUp = async (name: string, ...args: readonly string[]) => {
    const etc = join(dir, `etc-of-${name}`)
    const script = await ecru('mirror', 'print', name, ...args)
    await run(['sh', '-euc', script.replaceAll('/etc/', `${etc}/`)])
    return etc
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ecru-mirrors-'))
    hub = await UpstreamRegistry.start({ auth: 'bearer', username: 'me', password: 'secret' })
    hub.addIndex(index, 'library/multi', 'v1')
    hub.addImage(image, 'library/app', 'v1')
    hub.addImage(image, 'library/quiet', 'v1')
    const port = await freePort()
    registry = await startRegistry({
      port,
      dataDir: join(dir, 'data'),
      env: {
        ECRU_UPSTREAM_ALLOW_PRIVATE: 'true',
        ECRU_UPSTREAM_ALLOW_HTTP: 'true',
        ECRU_UPSTREAM_ENDPOINTS: `registry-1.docker.io=${hub.url.origin}`,
        ECRU_MIRROR_HOSTS: `${HUB_HOST}:${port}`,
        ECRU_MIRROR_USER: 'mirror',
      },
    })
    const settings = {
      endpoint: registry.url,
      region: 'us-east-1',
      credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'test' },
    }
    const SecretString = JSON.stringify({ username: 'me', accessToken: 'secret' })
    const { ARN = '' } = await new SecretsManagerClient(settings).send(
      new CreateSecretCommand({ Name: 'ecr-pullthroughcache/hub', SecretString }),
    )
    const rule = { ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: 'registry-1.docker.io', credentialArn: ARN }
    await new ECRClient(settings).send(new CreatePullThroughCacheRuleCommand(rule))
    const iam = new IAMClient(settings)
    for (const UserName of ['mirror', 'nodes']) {
      await iam.send(new CreateUserCommand({ UserName }))
      const Statement = [{ Effect: 'Allow', Action: PULL, Resource: 'arn:aws:ecr:*:*:repository/hub/*' }]
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'pull', PolicyDocument }))
    }
    const made = ['--user', 'nodes', '--repositories', 'hub/*', '--actions', 'pull,cache', '--json']
    token = (JSON.parse(await ecru('admin', 'token', 'create', ...made)) as { token: string }).token
    tokenFile = join(dir, 'token')
    await writeFile(tokenFile, `${token}\n`)
  }, 120_000)
  afterAll(async () => {
    await containerd?.stop()
    await docker?.stop()
    await registry?.stop()
    await hub?.stop()
    await rm(dir, { recursive: true, force: true })
  }, 60_000)

  testWith('containerd', 'ctr')('containerd, by a token in its hosts.toml', async () => {
    const etc = await setUp('containerd', '--token-file', tokenFile)
    containerd = await startContainerd(join(dir, 'containerd'))
    const hosts = ['--hosts-dir', join(etc, 'containerd/certs.d')]
    await containerd.run('pull', ...hosts, '--all-platforms', 'docker.io/library/multi:v1')
    expect(await missingBelow(containerd.contentDir, index)).toEqual([])
    const asked = hub.asked.length
    await containerd.run('pull', ...hosts, '--all-platforms', 'docker.io/library/multi:v1')
    expect(hub.asked.length).toBe(asked)
  })

  testWith('docker', 'dockerd')('docker, without credentials', async () => {
    const address = ['--address', `http://${HUB_HOST}:${registry.port}`]
    const etc = await setUp('docker', ...address)
    const daemon = JSON.parse(await readFile(join(etc, 'docker/daemon.json'), 'utf8'))
    docker = await startDocker({
      dir: join(dir, 'docker'),
      hostNames: [HUB_HOST],
      registryMirrors: daemon['registry-mirrors'],
      insecureRegistries: daemon['insecure-registries'],
    })
    const said = await docker.run(['pull', 'library/app:v1'])
    expect(said).toContain(`Digest: ${image.manifest.digest}`)
    const asked = hub.asked.length
    expect(asked).toBeGreaterThan(0)
    await docker.run(['rmi', '-f', 'library/app:v1'])
    await docker.run(['pull', 'library/app:v1'])
    expect(hub.asked.length).toBe(asked)
  })

  testWith('skopeo', 'podman')('podman and skopeo, logged in', async () => {
    const etc = await setUp('podman', '--token-file', tokenFile)
    const auth = join(dir, 'auth.json')
    const env = {
      CONTAINERS_REGISTRIES_CONF: join(etc, 'containers/registries.conf.d/ecru-mirror.conf'),
      REGISTRY_AUTH_FILE: auth,
    }
    const mounts = await inPrivateMounts(join(dir, 'podman'))
    const podman = [
      ...[...mounts, client('podman'), '--root', join(dir, 'storage'), '--runroot', '/run/podman'],
      ...['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'file'],
    ]
    await run([...podman, 'login', '--tls-verify=false', '-u', 'AWS', '--password-stdin', registry.host], {
      env,
      input: token,
    })
    await run([...podman, 'pull', '-q', 'docker.io/library/quiet:v1'], { env })
    const inspect = ['inspect', '--raw', 'docker://docker.io/library/multi:v1']
    expect(
      sha256(
        await run([...mounts, client('skopeo'), '--registries-conf', env.CONTAINERS_REGISTRIES_CONF, ...inspect], {
          env,
        }),
      ),
    ).toBe(index.manifest.digest)
    // The names here stay what they are, and closed to those who are not logged in.
    const own = [
      'inspect',
      '--tls-verify=false',
      '--authfile',
      join(dir, 'none.json'),
      `docker://${registry.host}/hub/library/app:v1`,
    ]
    expect((await attempt([...mounts, client('skopeo'), ...own])).exitCode).not.toBe(0)
  })

  testWith('containerd', 'ctr')('what nobody caches is not taken from here', async () => {
    if (!hasClients('containerd')) return
    const etc = join(dir, 'etc-of-containerd')
    const header = Buffer.from(`AWS:${token}`).toString('base64')
    const table = `[host."${registry.url}"]\n  capabilities = ["pull", "resolve"]\n  [host."${registry.url}".header]\n    authorization = "Basic ${header}"\n`
    const other = join(etc, 'containerd/certs.d/other.registry.invalid')
    await run(['mkdir', '-p', other])
    await writeFile(join(other, 'hosts.toml'), table)
    const hosts = ['--hosts-dir', join(etc, 'containerd/certs.d')]
    const pulled = await attempt(
      containerd?.images('pull', ...hosts, 'other.registry.invalid/hub/library/app:v1') ?? [],
    )
    expect(pulled.exitCode).not.toBe(0)
  })
})
