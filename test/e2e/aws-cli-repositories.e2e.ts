import { describe, expect } from 'bun:test'
import type {
  CreateRepositoryResponse,
  DeleteRepositoryResponse,
  DescribeRegistryResponse,
  DescribeRepositoriesResponse,
  GetAuthorizationTokenResponse,
  ListTagsForResourceResponse,
} from '@aws-sdk/client-ecr'
import type { GetCallerIdentityResponse } from '@aws-sdk/client-sts'
import { awsCli } from '../support/clients/aws-cli.ts'
import { testWith } from '../support/clients/client-test.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'

const test = testWith('aws')

describe('the AWS CLI manages repositories', () => {
  const stage = useStage()
  const aws = () => awsCli(stage)
  const arn = (name: string) => `arn:aws:ecr:us-east-1:000000000000:repository/${name}`

  test('get-login-password prints what /v2/ accepts for the user AWS', async () => {
    const password = await aws().text('ecr', 'get-login-password')
    expect(password).not.toMatch(/[:\s]/)
    const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
    expect((await fetch(`${stage.url}/v2/`, { headers: { authorization } })).status).toBe(200)
    const refused = await fetch(`${stage.url}/v2/`)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toStartWith('Basic realm=')
  })

  test('get-authorization-token lasts twelve hours and names the registry', async () => {
    const { authorizationData } = await aws().json<GetAuthorizationTokenResponse>('ecr', 'get-authorization-token')
    expect(authorizationData).toHaveLength(1)
    const { expiresAt = 0, proxyEndpoint = '' } = authorizationData[0] ?? {}
    const hours = (expiresAt * 1000 - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(11.9)
    expect(hours).toBeLessThan(12.1)
    expect(new URL(proxyEndpoint).host).toBe(stage.host)
  })

  test('get-caller-identity names the account of the access key', async () => {
    const identity = await aws().json<GetCallerIdentityResponse>('sts', 'get-caller-identity')
    expect(identity.Account).toBe('000000000000')
    expect(identity.Arn).toMatch(/^arn:aws:(iam|sts)::000000000000:/)
  })

  test('create-repository answers the repository with its defaults', async () => {
    const { repository } = await aws().json<CreateRepositoryResponse>(
      'ecr',
      'create-repository',
      '--repository-name',
      'cli/first',
    )
    expect<unknown>(repository).toMatchObject({
      repositoryArn: arn('cli/first'),
      registryId: '000000000000',
      repositoryName: 'cli/first',
      repositoryUri: `${stage.host}/cli/first`,
      imageTagMutability: 'MUTABLE',
      imageScanningConfiguration: { scanOnPush: false },
      encryptionConfiguration: { encryptionType: 'AES256' },
    })
    expect(Math.abs(repository.createdAt * 1000 - Date.now())).toBeLessThan(60_000)
    const described = await aws().json<DescribeRepositoriesResponse>(
      'ecr',
      'describe-repositories',
      '--repository-names',
      'cli/first',
    )
    expect<unknown>(described.repositories).toEqual([repository])
  })

  test('a second create-repository of the same name fails in the words of ECR', async () => {
    expect(await aws().failure('ecr', 'create-repository', '--repository-name', 'cli/first')).toBe(
      "An error occurred (RepositoryAlreadyExistsException) when calling the CreateRepository operation: The repository with name 'cli/first' already exists in the registry with id '000000000000'",
    )
  })

  test('a name that breaks the rules is refused with the member that breaks them', async () => {
    const refused = await aws().failure('ecr', 'create-repository', '--repository-name', 'Upper/Case')
    expect(refused).toContain('(InvalidParameterException)')
    expect(refused).toContain("Invalid parameter at 'repositoryName' failed to satisfy constraint")
  })

  test('describe-repositories of an unknown name fails in the words of ECR', async () => {
    expect(await aws().failure('ecr', 'describe-repositories', '--repository-names', 'cli/first', 'cli/none')).toBe(
      "An error occurred (RepositoryNotFoundException) when calling the DescribeRepositories operation: The repository with name 'cli/none' does not exist in the registry with id '000000000000'",
    )
  })

  test('describe-repositories pages through all of them, in pieces and from a starting token', async () => {
    const names = ['cli/page-1', 'cli/page-2', 'cli/page-3', 'cli/page-4']
    await stage.createRepository(...names)
    const inPages = await aws().json<DescribeRepositoriesResponse>('ecr', 'describe-repositories', '--page-size', '2')
    const all = inPages.repositories.map((each: { repositoryName: string }) => each.repositoryName)
    expect(new Set(all).size).toBe(all.length)
    expect<unknown>(all).toEqual(expect.arrayContaining(['cli/first', ...names]))
    const first = await aws().json<DescribeRepositoriesResponse>(
      'ecr',
      'describe-repositories',
      '--page-size',
      '2',
      '--max-items',
      '3',
    )
    expect(first.repositories).toHaveLength(3)
    const rest = await aws().json<DescribeRepositoriesResponse>(
      'ecr',
      'describe-repositories',
      '--page-size',
      '2',
      '--starting-token',
      first.NextToken,
    )
    expect<unknown>([...first.repositories, ...rest.repositories]).toEqual(inPages.repositories)
  })

  test('tags of a repository can be set at creation, added, replaced, listed and removed', async () => {
    const name = 'cli/tagged'
    await aws().json(
      'ecr',
      'create-repository',
      '--repository-name',
      name,
      '--tags',
      'Key=team,Value=one',
      'Key=stage,Value=dev',
    )
    await aws().json(
      'ecr',
      'tag-resource',
      '--resource-arn',
      arn(name),
      '--tags',
      'Key=team,Value=two',
      'Key=owner,Value=me',
    )
    const byKey = async () => {
      const { tags } = await aws().json<ListTagsForResourceResponse>(
        'ecr',
        'list-tags-for-resource',
        '--resource-arn',
        arn(name),
      )
      return Object.fromEntries(tags.map(({ Key, Value }: { Key: string; Value: string }) => [Key, Value]))
    }
    expect<unknown>(await byKey()).toEqual({ team: 'two', stage: 'dev', owner: 'me' })
    await aws().json('ecr', 'untag-resource', '--resource-arn', arn(name), '--tag-keys', 'stage', 'never-there')
    expect<unknown>(await byKey()).toEqual({ team: 'two', owner: 'me' })
    const foreign = await aws().failure('ecr', 'list-tags-for-resource', '--resource-arn', 'arn:aws:s3:::bucket')
    expect(foreign).toContain("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")
  })

  test('delete-repository refuses while images are inside, and --force takes them along', async () => {
    await stage.createRepository('cli/full')
    await push(stage, 'cli/full', buildImage('cli-full'), 'v1')
    expect(await aws().failure('ecr', 'delete-repository', '--repository-name', 'cli/full')).toBe(
      "An error occurred (RepositoryNotEmptyException) when calling the DeleteRepository operation: The repository with name 'cli/full' in registry with id '000000000000' cannot be deleted because it still contains images",
    )
    const { repository } = await aws().json<DeleteRepositoryResponse>(
      'ecr',
      'delete-repository',
      '--repository-name',
      'cli/full',
      '--force',
    )
    expect(repository.repositoryName).toBe('cli/full')
    const gone = await wire(stage, 'cli/full/manifests/v1')
    expect(gone.status).toBe(404)
    expect<unknown>(await gone.json()).toMatchObject({ errors: [{ code: 'NAME_UNKNOWN' }] })
    await aws().json<DeleteRepositoryResponse>('ecr', 'delete-repository', '--repository-name', 'cli/page-1')
    expect(await aws().failure('ecr', 'delete-repository', '--repository-name', 'cli/page-1')).toContain(
      '(RepositoryNotFoundException)',
    )
  })

  test('describe-registry answers without any configuration', async () => {
    expect<unknown>(await aws().json<DescribeRegistryResponse>('ecr', 'describe-registry')).toEqual({
      registryId: '000000000000',
      replicationConfiguration: { rules: [] },
    })
  })

  test('a repository belongs to the account and region it was made in', async () => {
    const elsewhere = await aws().json<DescribeRepositoriesResponse>(
      'ecr',
      'describe-repositories',
      '--region',
      'eu-west-1',
    )
    expect<unknown>(elsewhere.repositories).toEqual([])
    const { repository } = await aws().json<CreateRepositoryResponse>(
      'ecr',
      'create-repository',
      '--repository-name',
      'cli/first',
      '--region',
      'eu-west-1',
    )
    expect(repository.repositoryArn).toBe('arn:aws:ecr:eu-west-1:000000000000:repository/cli/first')
  })
})
