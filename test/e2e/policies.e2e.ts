import { describe, expect } from 'bun:test'
import type {
  BatchGetImageResponse,
  DescribeRepositoriesResponse,
  GetRepositoryPolicyResponse,
} from '@aws-sdk/client-ecr'
import { awsCli } from '../support/clients/aws-cli.ts'
import { client, testWith } from '../support/clients/client-test.ts'
import { inPrivateMounts } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { missingBelow, push, wire } from '../support/clients/wire.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { loginPassword } from '../support/start-registry.ts'

const test = testWith('aws', 'crane')

const GUEST = '999999999999'

describe('policies decide who gets in, for every client', () => {
  const stage = useStage({ repositories: ['shared/app'] })
  const image = buildImage('shared')
  const aws = () => awsCli(stage)
  const guest = () => awsCli({ ...stage, awsEnvironment: { ...stage.awsEnvironment, AWS_ACCESS_KEY_ID: GUEST } })
  const ofApp = ['--repository-name', 'shared/app']
  const allow = (...actions: string[]) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: GUEST }, Action: actions }],
    })
  const pullByApi = ['ecr', 'batch-get-image', '--registry-id', '000000000000', ...ofApp, '--image-ids', 'imageTag=v1']

  /** crane as the guest, at the host by which the owner's registry is called. */
  const crane = async (...args: string[]) => {
    const name = '000000000000.dkr.ecr.us-east-1.amazonaws.com'
    const prefix = await inPrivateMounts(stage.path('names'), [name])
    const env = { DOCKER_CONFIG: stage.path('guest') }
    const host = `${name}:${stage.registry.port}`
    const password = await loginPassword(stage.url, GUEST)
    const command = (...words: string[]) => [...prefix, client('crane'), ...words]
    await run(command('auth', 'login', host, '-u', 'AWS', '--password-stdin'), { env, input: password })
    const given = args.map((arg) => arg.replace('HOST', host))
    return attempt(command(...given, '--insecure'), { env })
  }

  test('nobody of another account, without a policy', async () => {
    await push(stage, 'shared/app', image, 'v1')
    expect(await guest().failure(...pullByApi)).toContain(
      '(AccessDeniedException) when calling the BatchGetImage operation: User: arn:aws:iam::999999999999:root is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:000000000000:repository/shared/app because no resource-based policy allows the ecr:BatchGetImage action',
    )
    const { exitCode, stderr } = await crane('pull', '--format', 'oci', 'HOST/shared/app:v1', stage.path('refused'))
    expect([exitCode, stderr.includes('DENIED')]).toEqual([1, true])
  })

  test('as far as a repository policy says', async () => {
    const text = allow('ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer')
    await aws().json('ecr', 'set-repository-policy', ...ofApp, '--policy-text', text)
    const answer = await aws().json<GetRepositoryPolicyResponse>('ecr', 'get-repository-policy', ...ofApp)
    expect(answer.policyText).toBe(text)
    const { images } = await guest().json<BatchGetImageResponse>(...pullByApi)
    expect(images.map(({ imageId }) => imageId.imageDigest)).toEqual([image.manifest.digest])
    const pulled = await crane('pull', '--format', 'oci', 'HOST/shared/app:v1', stage.path('pulled'))
    expect([pulled.exitCode, pulled.stderr]).toEqual([0, ''])
    expect(await missingBelow(stage.path('pulled'), image)).toEqual([])
    const pushed = await crane('tag', 'HOST/shared/app:v1', 'v2')
    expect([pushed.exitCode, pushed.stderr.includes('DENIED')]).toEqual([1, true])
  })

  test('no one shuts himself out but by force', async () => {
    const denial = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 'ecr:SetRepositoryPolicy' }],
    })
    const set = ['ecr', 'set-repository-policy', ...ofApp, '--policy-text', denial]
    expect(await aws().failure(...set)).toContain('InvalidParameterException')
    await aws().json(...set, '--force')
    expect(await aws().failure(...set)).toContain('with an explicit deny in a resource-based policy')
    await aws().json('ecr', 'delete-repository-policy', ...ofApp)
    expect(await guest().failure(...pullByApi)).toContain('AccessDeniedException')
  })

  test('a registry policy denies everybody, and is always at hand to be changed', async () => {
    const Resource = 'arn:aws:ecr:us-east-1:000000000000:repository/shared/*'
    const statement = { Effect: 'Deny', Principal: '*', Action: 'ecr:*', Resource }
    const policyText = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    await aws().json('ecr', 'put-registry-policy', '--policy-text', policyText)
    expect(await aws().failure(...pullByApi)).toContain('with an explicit deny')
    expect((await wire(stage, 'shared/app/manifests/v1')).status).toBe(403)
    await aws().json('ecr', 'delete-registry-policy')
    expect((await wire(stage, 'shared/app/manifests/v1')).status).toBe(200)
  })
})

describe('a template makes the repository of a first push', () => {
  const stage = useStage()
  const aws = () => awsCli(stage)
  const image = buildImage('templated')

  test('with everything that it says', async () => {
    const own = { env: { DOCKER_CONFIG: stage.path('docker') } }
    const layout = stage.path('layout')
    await writeOciLayout(layout, { v1: image })
    await run([client('crane'), 'auth', 'login', stage.host, '-u', 'AWS', '--password-stdin'], {
      ...own,
      input: stage.password,
    })
    const pushTo = (name: string) => [client('crane'), 'push', layout, `${stage.host}/${name}`, '--insecure']
    const missing = await attempt(pushTo('made/app:v1'), own)
    expect([missing.exitCode, missing.stderr.includes('NAME_UNKNOWN')]).toEqual([1, true])
    await aws().json(
      ...['ecr', 'create-repository-creation-template', '--prefix', 'made', '--applied-for', 'CREATE_ON_PUSH'],
      ...['--image-tag-mutability', 'IMMUTABLE'],
    )
    await run(pushTo('made/app:v1'), own)
    const { repositories } = await aws().json<DescribeRepositoriesResponse>('ecr', 'describe-repositories')
    expect(repositories).toMatchObject([{ repositoryName: 'made/app', imageTagMutability: 'IMMUTABLE' }])
    const elsewhere = await attempt(pushTo('unmade/app:v1'), own)
    expect([elsewhere.exitCode, elsewhere.stderr.includes('NAME_UNKNOWN')]).toEqual([1, true])
  })
})
