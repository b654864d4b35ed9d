import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdir } from 'node:fs/promises'
import {
  CreatePullThroughCacheRuleCommand,
  CreateRepositoryCommand,
  ECRClient,
  ValidatePullThroughCacheRuleCommand,
} from '@aws-sdk/client-ecr'
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { hasClients, testWith } from '../support/clients/client-test.ts'
import { type Containerd, startContainerd } from '../support/clients/containerd.ts'
import { type Docker, startDocker } from '../support/clients/docker.ts'
import { type DockerRegistry, startDockerRegistry } from '../support/clients/docker-registry.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { missingBelow, push, servesEveryByte, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex } from '../support/image-builder.ts'
import { loginPassword, type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { UpstreamRegistry } from '../support/upstream-registry.ts'

const LOGIN = { username: 'AWS', password: 'of-the-upstream' }
const ROOT = {
  ECRU_ROOT_ACCESS_KEY_ID: 'AKIAEXAMPLEROOT00001',
  ECRU_ROOT_SECRET_ACCESS_KEY: 'the-secret-of-the-root',
}
const WITHIN_MS = 30_000

describe('images come through a cache from real registries', () => {
  const stage = useStage({ env: { ECRU_UPSTREAM_ALLOW_PRIVATE: 'true', ECRU_UPSTREAM_ALLOW_HTTP: 'true' } })
  const settings = (url: string, accessKeyId = '000000000000', secretAccessKey = 'test') => ({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
  })
  const index = buildIndex(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage(`through-${architecture}`, { platform: { os: 'linux', architecture } }),
    ),
  )
  const dockerImage = buildImage('through-docker', { format: 'docker' })

  async function rule(prefix: string, url: string, secret?: object): Promise<void> {
    const [ecr, secrets] = [new ECRClient(settings(stage.url)), new SecretsManagerClient(settings(stage.url))]
    const made =
      secret &&
      (await secrets.send(
        new CreateSecretCommand({ Name: `ecr-pullthroughcache/${prefix}`, SecretString: JSON.stringify(secret) }),
      ))
    await ecr.send(
      new CreatePullThroughCacheRuleCommand({
        ecrRepositoryPrefix: prefix,
        upstreamRegistryUrl: url,
        ...(made?.ARN === undefined ? {} : { credentialArn: made.ARN }),
      }),
    )
    const verdict = await ecr.send(new ValidatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: prefix }))
    expect([verdict.isValid, verdict.failure]).toEqual([true, undefined])
  }

  /** Until the import behind a first pull has ended: what is listed is stored whole. */
  async function isListed(name: string, tag: string): Promise<void> {
    const until = Date.now() + WITHIN_MS
    const tags = async () => ((await (await wire(stage, `${name}/tags/list`)).json()) as { tags?: string[] }).tags
    while ((await tags())?.includes(tag) !== true) {
      if (Date.now() > until) throw new Error(`${name}:${tag} has not come`)
      await Bun.sleep(20)
    }
  }

  describe('Debian’s docker-registry', () => {
    let upstream: DockerRegistry
    let docker: Docker
    let containerd: Containerd
    const withRegistry = (...clients: readonly string[]) => testWith('docker-registry', ...clients)

    beforeAll(async () => {
      if (!hasClients('docker-registry')) return
      await mkdir(stage.path('upstream'))
      upstream = await startDockerRegistry({ dir: stage.path('upstream'), login: LOGIN })
      await push({ ...LOGIN, url: upstream.url }, 'team/app', dockerImage, 'v1')
      await push({ ...LOGIN, url: upstream.url }, 'team/multi', index, 'v1')
      await rule('debian', upstream.url, { username: LOGIN.username, accessToken: LOGIN.password })
      if (hasClients('docker', 'dockerd')) docker = await startDocker({ dir: stage.path('docker') })
      if (hasClients('containerd', 'ctr')) containerd = await startContainerd(stage.path('containerd'))
    }, 120_000)
    afterAll(async () => {
      await docker?.stop()
      await containerd?.stop()
      await upstream?.stop()
    }, 60_000)

    withRegistry('docker', 'dockerd')(
      'docker pulls an image that is not here yet, and again without the upstream',
      async () => {
        await docker.run(['login', '-u', 'AWS', '--password-stdin', stage.host], { input: stage.password })
        const reference = `${stage.host}/debian/team/app:v1`
        expect(await docker.run(['pull', reference])).toContain(`Digest: ${dockerImage.manifest.digest}`)
        await isListed('debian/team/app', 'v1')
        const asked = await upstream.count('GET /v2/team/app/')
        await docker.run(['rmi', '-f', reference])
        expect(await docker.run(['pull', reference])).toContain(`Digest: ${dockerImage.manifest.digest}`)
        expect(await upstream.count('GET /v2/team/app/')).toBe(asked)
        for (const { digest } of [dockerImage.config, ...dockerImage.layers])
          expect(await upstream.count(`GET /v2/team/app/blobs/${digest}`)).toBe(1)
        expect(await servesEveryByte(stage, 'debian/team/app', dockerImage)).toBe(true)
      },
    )

    withRegistry('containerd', 'ctr')('containerd pulls all platforms of an index', async () => {
      const reference = `${stage.host}/debian/team/multi:v1`
      const access = ['--plain-http', '--user', `AWS:${stage.password}`]
      await containerd.run('pull', ...access, '--all-platforms', reference)
      expect(await missingBelow(containerd.contentDir, index)).toEqual([])
      await isListed('debian/team/multi', 'v1')
      expect(await servesEveryByte(stage, 'debian/team/multi', index)).toBe(true)
    })

    withRegistry('skopeo')('skopeo copies by digest; what the upstream does not have is not there', async () => {
      const skopeo = await containersTool('skopeo', stage.path('skopeo'))
      const copy = (reference: string, to: string) =>
        attempt([
          ...skopeo,
          ...['--insecure-policy', 'copy', '--all', '--src-tls-verify=false', '--src-creds', `AWS:${stage.password}`],
          ...[`docker://${stage.host}/debian/${reference}`, `dir:${stage.path(to)}`],
        ])
      expect((await copy(`team/app@${dockerImage.manifest.digest}`, 'by-digest')).exitCode).toBe(0)
      expect((await copy('team/app:none', 'none')).stderr).toContain('manifest unknown')
      expect((await copy('nobody/here:v1', 'none')).stderr).toContain('name unknown')
    })
  })

  testWith('skopeo')('another Ecru that lets nobody in without a login', async () => {
    await using upstream = await startRegistry({ env: { ECRU_PROFILE: 'server', ...ROOT } })
    const root = settings(upstream.url, ROOT.ECRU_ROOT_ACCESS_KEY_ID, ROOT.ECRU_ROOT_SECRET_ACCESS_KEY)
    const image = buildImage('of-another-ecru')
    await new ECRClient(root).send(new CreateRepositoryCommand({ repositoryName: 'team/app' }))
    await push({ url: upstream.url, password: await passwordOf(upstream, root) }, 'team/app', image, 'v1')
    const accessToken = await passwordOf(upstream, settings(upstream.url, ...(await readerOf(root))))
    await rule('ecru', upstream.url, { username: 'AWS', accessToken })
    const skopeo = await containersTool('skopeo', stage.path('skopeo-ecru'))
    const from = ['--src-tls-verify=false', '--src-creds', `AWS:${stage.password}`]
    const reference = `docker://${stage.host}/ecru/team/app:v1`
    await run([...skopeo, '--insecure-policy', 'copy', ...from, reference, `dir:${stage.path('from-ecru')}`])
    await isListed('ecru/team/app', 'v1')
    expect(await servesEveryByte(stage, 'ecru/team/app', image)).toBe(true)
    const refused = await wire(stage, 'ecru/other/app/manifests/v1')
    expect(refused.status).toBe(403)
  })

  testWith('skopeo')('a registry with tokens that end soon', async () => {
    await using upstream = await UpstreamRegistry.start({ auth: 'bearer', password: 'secret', tokenSeconds: 1 })
    upstream.addIndex(index, 'team/multi', 'v1')
    await rule('bearer', upstream.url.origin, { username: 'user', accessToken: 'secret' })
    const skopeo = await containersTool('skopeo', stage.path('skopeo-bearer'))
    const from = ['--src-tls-verify=false', '--src-creds', `AWS:${stage.password}`]
    const reference = `docker://${stage.host}/bearer/team/multi:v1`
    await run([...skopeo, '--insecure-policy', 'copy', '--all', ...from, reference, `dir:${stage.path('from-bearer')}`])
    await isListed('bearer/team/multi', 'v1')
    expect(await servesEveryByte(stage, 'bearer/team/multi', index)).toBe(true)
    expect(upstream.authorizations.filter((sent) => sent?.startsWith('Bearer ')).length).toBeGreaterThan(0)
  })

  async function passwordOf({ url }: RunningRegistry, { credentials }: ReturnType<typeof settings>): Promise<string> {
    return loginPassword(url, credentials.accessKeyId, 'us-east-1', credentials.secretAccessKey)
  }
})

/** A user who may pull what lies below `team/`, and nothing else. */
async function readerOf(root: { endpoint: string; region: string }): Promise<[string, string]> {
  const iam = new IAMClient(root)
  await iam.send(new CreateUserCommand({ UserName: 'cache' }))
  const actions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchCheckLayerAvailability']
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
      { Effect: 'Allow', Action: actions, Resource: 'arn:aws:ecr:*:*:repository/team/*' },
    ],
  })
  await iam.send(new PutUserPolicyCommand({ UserName: 'cache', PolicyName: 'pull', PolicyDocument }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'cache' }))
  return [String(AccessKey?.AccessKeyId), String(AccessKey?.SecretAccessKey)]
}
