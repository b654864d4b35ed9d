import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CreateRepositoryCommand, DescribeRepositoriesCommand, type ECRClient } from '@aws-sdk/client-ecr'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { type Docker, startDocker } from '../support/clients/docker.ts'
import { inPrivateMounts } from '../support/clients/private-mounts.ts'
import { run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { ecrClient, freePort, loginPassword } from '../support/start-registry.ts'

const needed = ['docker-credential-ecr-login', 'docker', 'dockerd', 'crane', 'oras', 'skopeo', 'busybox'] as const
const test = testWith(...needed)

const ACCOUNT = '012345678910'
const REGION = 'eu-west-1'

describe("Amazon's own credential helper logs in, and the host name tells the registry", () => {
  let stage: Stage
  let docker: Docker
  let ecr: ECRClient
  let name: string
  let host: string
  let environment: Record<string, string>

  /** Runs a client where ECR's host names resolve to the registry under test. */
  const named = async (...command: string[]) => {
    const prefix = await inPrivateMounts(stage.path('names'), [name, name.replace(ACCOUNT, '999999999999')])
    return (await run([...prefix, ...command], { env: environment })).trim()
  }

  beforeAll(async () => {
    if (!hasClients(...needed)) return
    const port = await freePort()
    name = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`
    host = `${name}:${port}`
    stage = await openStage({ port, env: { ECRU_REGISTRY_HOST: `{account}.dkr.ecr.{region}.amazonaws.com:${port}` } })
    ecr = ecrClient(stage.url, ACCOUNT, REGION)
    for (const repositoryName of ['app', 'copy']) await ecr.send(new CreateRepositoryCommand({ repositoryName }))
    const config = stage.path('docker/config')
    await mkdir(config, { recursive: true })
    const credHelpers = { [host]: 'ecr-login', [host.replace(ACCOUNT, '999999999999')]: 'ecr-login' }
    await writeFile(`${config}/config.json`, JSON.stringify({ credHelpers }))
    environment = {
      DOCKER_CONFIG: config,
      PATH: `${dirname(client('docker-credential-ecr-login'))}:${process.env.PATH}`,
      HOME: stage.dir,
      AWS_ENDPOINT_URL_ECR: stage.url,
      AWS_ACCESS_KEY_ID: ACCOUNT,
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: REGION,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ECR_DISABLE_CACHE: '1',
    }
    docker = await startDocker({ dir: stage.path('docker'), insecureRegistries: [host], hostNames: [name] })
  }, 90_000)
  afterAll(async () => {
    ecr?.destroy()
    await docker?.stop()
    await stage?.close()
  }, 60_000)

  test('repository URIs carry the configured host name', async () => {
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['app'] }))
    expect(repositories?.[0]).toMatchObject({
      registryId: ACCOUNT,
      repositoryArn: `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/app`,
      repositoryUri: `${host}/app`,
    })
  })

  test('docker pushes and pulls with the credential helper', async () => {
    await writeBuildContext(stage.path('context'), 'helper')
    await docker.run(['build', '-q', '-t', `${host}/app:1`, stage.path('context')])
    await docker.run(['push', '-q', `${host}/app:1`], { env: environment })
    await docker.run(['rmi', '-f', `${host}/app:1`])
    const pulled = await docker.run(['pull', '-q', `${host}/app:1`], { env: environment })
    expect(pulled.trim()).toBe(`${host}/app:1`)
  })

  test('crane, oras and skopeo find their credentials by the helper too', async () => {
    expect(await named(client('crane'), 'ls', '--insecure', `${host}/app`)).toBe('1')
    expect(await named(client('oras'), 'repo', 'tags', '--plain-http', `${host}/app`)).toBe('1')
    await named(client('crane'), 'copy', '--insecure', `${host}/app:1`, `${host}/copy:1`)
    await named(client('crane'), 'validate', '--insecure', '--remote', `${host}/copy:1`)
    const authFile = stage.path('docker/config/config.json')
    const tags = await named(
      client('skopeo'),
      'list-tags',
      '--tls-verify=false',
      '--authfile',
      authFile,
      `docker://${host}/copy`,
    )
    expect(JSON.parse(tags).Tags).toEqual(['1'])
  })

  test('docker login with the password works for the host name too', async () => {
    const password = await loginPassword(stage.url, ACCOUNT, REGION)
    const env = { DOCKER_CONFIG: stage.path('other-config') }
    const said = await docker.run(['login', '-u', 'AWS', '--password-stdin', host], { input: password, env })
    expect(said).toContain('Login Succeeded')
  })

  test('the same repository name under another account is another repository', async () => {
    const other = ecrClient(stage.url, '999999999999', REGION)
    await other.send(new CreateRepositoryCommand({ repositoryName: 'app' }))
    other.destroy()
    await writeOciLayout(stage.path('layout'), { v: buildImage('other-account') })
    const otherHost = host.replace(ACCOUNT, '999999999999')
    environment = { ...environment, AWS_ACCESS_KEY_ID: '999999999999' }
    await named(client('crane'), 'push', '--insecure', stage.path('layout'), `${otherHost}/app:other`)
    expect(await named(client('crane'), 'ls', '--insecure', `${otherHost}/app`)).toBe('other')
  })
})
