import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { type AwsCli, awsCli } from '../support/clients/aws-cli.ts'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { client, testWith } from '../support/clients/client-test.ts'
import { startDocker } from '../support/clients/docker.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { freePort, program } from '../support/start-registry.ts'

const HOOK_TIMEOUT_MS = 60_000

/** The answers of the API, as far as these tests read them. */
interface Answers {
  readonly repository: { readonly repositoryUri: string; readonly repositoryArn: string }
  readonly authorizationData: { readonly authorizationToken: string }
}

describe('ECR Public: the API by the aws CLI, images by the public host', () => {
  let stage: Stage
  let aws: AwsCli
  let host: string
  let uri: string
  const image = buildImage('public')

  // Two names of the loopback: one for the private registries, the other for the public ones.
  beforeAll(async () => {
    const port = await freePort()
    host = `localhost:${port}`
    stage = await openStage({ port, env: { ECRU_PUBLIC_HOST: host } })
    aws = awsCli(stage)
    await writeOciLayout(stage.path('image'), { v1: image })
  }, HOOK_TIMEOUT_MS)
  afterAll(() => stage.close(), HOOK_TIMEOUT_MS)

  const publicly = (...args: readonly string[]) => aws.json<Answers>('ecr-public', ...args)
  const name = ['--repository-name', 'team/app'] as const
  const docker = (config: string) => ({ env: { DOCKER_CONFIG: stage.path(config) } })
  const crane = (config: string, ...args: readonly string[]) =>
    run([client('crane'), ...args, '--insecure'], docker(config))

  testWith('aws')('a repository is made under a random alias, tagged, described and given catalog data', async () => {
    const { repository } = await publicly(
      'create-repository',
      ...name,
      '--catalog-data',
      'description=An app,architectures=x86-64,operatingSystems=Linux',
      '--tags',
      'Key=team,Value=a',
    )
    uri = repository.repositoryUri
    expect(uri).toMatch(new RegExp(`^${host}/[a-z][a-z0-9]{7}/team/app$`))
    expect(repository.repositoryArn).toBe('arn:aws:ecr-public::000000000000:repository/team/app')
    expect(await publicly('describe-repositories')).toMatchObject({ repositories: [{ repositoryUri: uri }] })
    expect(await publicly('get-repository-catalog-data', ...name)).toMatchObject({
      catalogData: { description: 'An app', architectures: ['x86-64'], operatingSystems: ['Linux'] },
    })
    expect(await publicly('list-tags-for-resource', '--resource-arn', repository.repositoryArn)).toMatchObject({
      tags: [{ Key: 'team', Value: 'a' }],
    })
    await publicly('put-registry-catalog-data', '--display-name', 'Somebody')
    expect(await publicly('get-registry-catalog-data')).toMatchObject({
      registryCatalogData: { displayName: 'Somebody' },
    })
    const [, alias] = uri.split('/')
    expect(await publicly('describe-registries')).toMatchObject({
      registries: [{ registryUri: `${host}/${alias}`, aliases: [{ name: alias, status: 'ACTIVE' }] }],
    })
    expect(await aws.json('ecr', 'describe-repositories')).toMatchObject({ repositories: [] })
  })

  testWith('aws')('elsewhere than in us-east-1 there is no ECR Public', async () => {
    expect(await aws.failure('ecr-public', 'describe-registries', '--region', 'eu-west-3')).toContain(
      'UnsupportedCommandException',
    )
  })

  testWith('aws', 'crane')('crane pushes logged in, and pulls without a login', async () => {
    const denied = await attempt(
      [client('crane'), 'push', stage.path('image'), `${uri}:v1`, '--insecure'],
      docker('anonymous'),
    )
    expect(denied.exitCode).not.toBe(0)
    const password = await aws.text('ecr-public', 'get-login-password')
    await run([client('crane'), 'auth', 'login', host, '-u', 'AWS', '--password-stdin'], {
      ...docker('owner'),
      input: password,
    })
    await crane('owner', 'push', stage.path('image'), `${uri}:v1`)
    expect((await crane('anonymous', 'digest', `${uri}:v1`)).trim()).toBe(image.manifest.digest)
    await crane('anonymous', 'validate', '--remote', `${uri}:v1`)
    expect((await crane('anonymous', 'ls', uri)).trim()).toBe('v1')
    await crane('owner', 'tag', `${uri}:v1`, 'v2')
    expect(await publicly('describe-image-tags', ...name)).toMatchObject({
      imageTagDetails: [
        { imageTag: 'v1', imageDetail: { imageDigest: image.manifest.digest } },
        { imageTag: 'v2', imageDetail: { imageDigest: image.manifest.digest } },
      ],
    })
    expect(await publicly('describe-images', ...name)).toMatchObject({ imageDetails: [{ imageTags: ['v1', 'v2'] }] })
  })

  testWith('aws', 'crane')('an operator gives an alias of choice, which addresses show and all pull by', async () => {
    const admin = (...args: readonly string[]) =>
      run([...program(), 'admin', 'public-alias', ...args, '--url', stage.url], { env: stage.awsEnvironment })
    await admin('add', 'acme', '--primary')
    expect(await admin('list')).toMatch(/acme +000000000000 +ACTIVE +true +false/)
    expect(await publicly('describe-repositories')).toMatchObject({
      repositories: [{ repositoryUri: `${host}/acme/team/app` }],
    })
    for (const address of [`${host}/acme/team/app`, uri])
      expect((await crane('anonymous', 'digest', `${address}:v1`)).trim()).toBe(image.manifest.digest)
    await admin('remove', 'acme')
    expect(await publicly('describe-repositories')).toMatchObject({ repositories: [{ repositoryUri: uri }] })
    const gone = [client('crane'), 'digest', `${host}/acme/team/app:v1`, '--insecure']
    expect((await attempt(gone, docker('anonymous'))).exitCode).not.toBe(0)
  })

  testWith('aws', 'skopeo')('skopeo pulls without a login, and pushes with one', async () => {
    const skopeo = async (...args: readonly string[]) =>
      run([...(await containersTool('skopeo', stage.dir)), '--insecure-policy', ...args])
    const password = await aws.text('ecr-public', 'get-login-password')
    const source = `oci:${stage.path('image')}:v1`
    await skopeo('copy', '--dest-tls-verify=false', '--dest-creds', `AWS:${password}`, source, `docker://${uri}:sk`)
    const none = ['--authfile', stage.path('no-auth.json')]
    await writeFile(stage.path('no-auth.json'), '{}')
    const printed = await skopeo('inspect', '--tls-verify=false', ...none, `docker://${uri}:sk`)
    expect(JSON.parse(printed).Digest).toBe(image.manifest.digest)
    await skopeo('copy', '--src-tls-verify=false', ...none, `docker://${uri}:sk`, `dir:${stage.path('pulled')}`)
  })

  testWith(
    'aws',
    'busybox',
    'docker',
    'dockerd',
  )('docker pushes logged in, and pulls logged out', async () => {
    const docker = await startDocker({ dir: stage.path('docker') })
    try {
      await writeBuildContext(stage.path('context'), 'public')
      await docker.run(['build', '-q', '-t', `${uri}:dk`, stage.path('context')])
      expect(await docker.failure(['push', `${uri}:dk`])).toContain('denied')
      const password = await aws.text('ecr-public', 'get-login-password')
      const login = ['login', '-u', 'AWS', '--password-stdin', host]
      expect(await docker.failure(login, { input: 'wrong' })).not.toBe('')
      expect(await docker.run(login, { input: password })).toContain('Login Succeeded')
      await docker.run(['push', `${uri}:dk`])
      await docker.run(['logout', host])
      await docker.run(['rmi', '-f', `${uri}:dk`])
      const said = await docker.run(['run', '--rm', '--network', 'none', `${uri}:dk`, 'world'])
      expect(said.trim()).toBe('hello world')
    } finally {
      await docker.stop()
    }
  })

  testWith('aws')('the token itself is a bearer token, and no login of the private registries', async () => {
    const { authorizationData } = await publicly('get-authorization-token')
    const { authorizationToken } = authorizationData
    const ask = (at: string, authorization: string) => fetch(`http://${at}/v2/`, { headers: { authorization } })
    expect((await ask(host, `Bearer ${authorizationToken}`)).status).toBe(200)
    expect((await ask(stage.host, `Basic ${authorizationToken}`)).status).toBe(400)
    const privately = Buffer.from(`AWS:${stage.password}`).toString('base64')
    expect((await ask(host, `Bearer ${privately}`)).status).toBe(400)
  })

  test('AWS’s own hosts are public ones too, and every other is private', async () => {
    const challenge = async (name: string) => {
      const { headers } = await fetch(`${stage.url}/v2/`, { headers: { host: name } })
      return headers.get('www-authenticate')
    }
    for (const name of ['public.ecr.aws', 'ecr-public.aws.com', host])
      expect(await challenge(name)).toStartWith(`Bearer realm="http://${name}/token/"`)
    for (const name of [stage.host, 'registry.example.com']) expect(await challenge(name)).toStartWith('Basic ')
  })

  testWith('aws')('images and repositories are deleted', async () => {
    expect(await aws.failure('ecr-public', 'delete-repository', ...name)).toContain('RepositoryNotEmptyException')
    await publicly('batch-delete-image', ...name, '--image-ids', `imageDigest=${image.manifest.digest}`)
    await publicly('delete-repository', ...name, '--force')
    expect(await aws.failure('ecr-public', 'describe-images', ...name)).toContain('RepositoryNotFoundException')
  })
})
