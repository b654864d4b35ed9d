import { describe, expect } from 'bun:test'
import type {
  DescribeImagesResponse,
  DescribeRepositoriesResponse,
  GetAuthorizationTokenResponse,
  ListImagesResponse,
} from '@aws-sdk/client-ecr'
import { awsCli } from '../support/clients/aws-cli.ts'
import { testWith } from '../support/clients/client-test.ts'
import { attempt } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { ownEnvironment, program, startRegistry } from '../support/start-registry.ts'

const test = testWith('aws')
const DAY_S = 86_400

const policy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 1 },
      action: { type: 'expire' },
    },
  ],
})

/** Runs `ecru` and answers what its `--json` says. Throws when it fails. */
async function ecru<Answer>(...args: readonly string[]): Promise<Answer> {
  const { exitCode, stdout, stderr } = await attempt([...program(), ...args, '--json'], { env: ownEnvironment() })
  if (exitCode !== 0) throw new Error(`ecru ${args.join(' ')} ended with ${exitCode}: ${stderr}`)
  return JSON.parse(stdout)
}

describe('the clock of the dev profile', () => {
  const stage = useStage({
    memory: true,
    env: { ECRU_ACTIVATION_TIME: '1h' },
    repositories: ['clock/expires', 'clock/archive', 'clock/login'],
  })
  const aws = () => awsCli(stage)
  const ecr = <Response>(operation: string, repository: string, ...args: string[]) =>
    aws().json<Response>('ecr', operation, '--repository-name', repository, ...args)
  const advance = (duration: string) =>
    ecru<{ now: string; offsetSeconds: number }>('clock', '--advance', duration, '--url', stage.url)

  // Each test logs in for itself: those before it may have made its login expire.
  const loggedIn = async () => {
    const password = await aws().text('ecr', 'get-login-password')
    return Object.create(stage, { password: { value: password } }) as typeof stage
  }

  test('is that of the system until it is moved, and then runs on', async () => {
    const { now, offsetSeconds } = await ecru<{ now: string; offsetSeconds: number }>('clock', '--url', stage.url)
    expect(offsetSeconds).toBe(0)
    expect(Math.abs(Date.parse(now) - Date.now())).toBeLessThan(60_000)
    const moved = await advance('90s')
    expect(moved.offsetSeconds).toBe(90)
    expect(Date.parse(moved.now) - Date.parse(now)).toBeGreaterThanOrEqual(90_000)
  })

  test('lets images expire, and later ones are pushed later', async () => {
    const repository = 'clock/expires'
    await push(await loggedIn(), repository, buildImage('clock-old'), 'old')
    await ecr('put-lifecycle-policy', repository, '--lifecycle-policy-text', policy)
    const before = await ecr<DescribeImagesResponse>('describe-images', repository)
    expect(before.imageDetails.map(({ imageTags }) => imageTags)).toEqual([['old']])
    await advance('2d')
    expect((await ecr<ListImagesResponse>('list-images', repository)).imageIds).toEqual([])
    await push(await loggedIn(), repository, buildImage('clock-new'), 'new')
    await ecru('lifecycle', 'run', repository, '--url', stage.url)
    const after = await ecr<DescribeImagesResponse>('describe-images', repository)
    const [oldAt = 0, newAt = 0] = [before, after].map(({ imageDetails }) => imageDetails[0]?.imagePushedAt)
    expect(newAt - oldAt).toBeGreaterThanOrEqual(2 * DAY_S)
  })

  test('lets logins expire after 12 hours, and new ones live as long', async () => {
    const early = await loggedIn()
    await push(early, 'clock/login', buildImage('clock-login'), 'v1')
    await advance('11h')
    expect((await wire(early, 'clock/login/manifests/v1')).status).toBe(200)
    await advance('61m')
    const refused = await wire(early, 'clock/login/manifests/v1')
    expect(refused.status).toBe(403)
    expect(await refused.text()).toContain('Your authorization token has expired. Reauthenticate and try again.')
    expect((await wire(await loggedIn(), 'clock/login/manifests/v1')).status).toBe(200)
    const { authorizationData } = await aws().json<GetAuthorizationTokenResponse>('ecr', 'get-authorization-token')
    const { now } = await ecru<{ now: string }>('clock', '--url', stage.url)
    const livesForS = (authorizationData[0]?.expiresAt ?? 0) - Date.parse(now) / 1000
    expect(Math.abs(livesForS - DAY_S / 2)).toBeLessThan(60)
  })

  test('ends restorations from the archive', async () => {
    const repository = 'clock/archive'
    await push(await loggedIn(), repository, buildImage('clock-archive'), 'v1')
    const store = (storageClass: string) =>
      ecr(
        'update-image-storage-class',
        repository,
        ...['--image-id', 'imageTag=v1', '--target-storage-class', storageClass],
      )
    await store('ARCHIVE')
    await store('STANDARD')
    const status = async () => {
      const anyStatus = ['--filter', 'imageStatus=ANY']
      const { imageDetails } = await ecr<DescribeImagesResponse>('describe-images', repository, ...anyStatus)
      return imageDetails.map(({ imageStatus }) => imageStatus)
    }
    expect(await status()).toEqual(['ACTIVATING'])
    await advance('1h')
    expect(await status()).toEqual(['ACTIVE'])
  })
})

describe('a reset in the dev profile', () => {
  const stage = useStage({ memory: true })
  const aws = () => awsCli(stage)
  const names = async (region = 'us-east-1') => {
    const { repositories } = await aws().json<DescribeRepositoriesResponse>(
      ...['ecr', 'describe-repositories', '--region', region],
    )
    return repositories.map(({ repositoryName }) => repositoryName)
  }
  const reset = (...scope: readonly string[]) => ecru('reset', '--yes', ...scope, '--url', stage.url)

  test('empties a repository, a region, everything; the login goes on', async () => {
    await stage.createRepository('team/app', 'team/other')
    await aws().json('ecr', 'create-repository', '--repository-name', 'far', '--region', 'eu-west-3')
    await aws().json('ecr', 'put-account-setting', '--name', 'BLOB_MOUNTING', '--value', 'ENABLED')
    await push(stage, 'team/app', buildImage('reset'), 'v1')

    const refused = await attempt([...program(), 'reset', '--url', stage.url], { env: ownEnvironment() })
    expect(refused.exitCode).toBe(1)
    expect(await names()).toEqual(['team/app', 'team/other'])

    expect(await reset('--repository', 'team/app')).toEqual({ repositories: 1 })
    expect(await names()).toEqual(['team/other'])
    expect((await wire(stage, 'team/app/manifests/v1')).status).toBe(404)

    expect(await reset('--region', 'us-east-1')).toEqual({ repositories: 1 })
    expect(await names()).toEqual([])
    expect(await names('eu-west-3')).toEqual(['far'])
    expect(await aws().text('ecr', 'get-account-setting', '--name', 'BLOB_MOUNTING', '--query', 'value')).toBe(
      'DISABLED',
    )

    expect(await reset()).toEqual({ repositories: 1 })
    expect(await names('eu-west-3')).toEqual([])

    await stage.createRepository('team/app')
    expect((await wire(stage, 'team/app/manifests/v1')).status).toBe(404)
    await push(stage, 'team/app', buildImage('reset'), 'v1')
    expect((await wire(stage, 'team/app/manifests/v1')).status).toBe(200)
  })

  test('is quick', async () => {
    await stage.createRepository(...Array.from({ length: 20 }, (_, n) => `quick/${n}`))
    const request = () => fetch(`${stage.url}/_ecru/reset`, { method: 'POST', body: '{}' })
    const startedAt = performance.now()
    expect(await (await request()).json()).toMatchObject({ repositories: 21 })
    // Some 3 ms where nothing else is going on.
    expect(performance.now() - startedAt).toBeLessThan(200)
  })
})

describe('the server profile', () => {
  testWith()('has neither', async () => {
    await using registry = await startRegistry({ memory: true, env: { ECRU_PROFILE: 'server' } })
    for (const [method, path] of [
      ['GET', 'clock'],
      ['POST', 'clock'],
      ['POST', 'reset'],
    ] as const) {
      const answer = await fetch(`${registry.url}/_ecru/${path}`, {
        method,
        ...(method === 'POST' ? { body: '{}' } : {}),
      })
      expect([path, answer.status]).toEqual([path, 404])
    }
  })
})
