import { describe, expect } from 'bun:test'
import type { DescribeRepositoriesResponse, PutImageTagMutabilityResponse } from '@aws-sdk/client-ecr'
import { awsCli } from '../support/clients/aws-cli.ts'
import { client, testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, storedManifest } from '../support/clients/wire.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'

const test = testWith('aws', 'skopeo')

describe('tag mutability holds for the AWS CLI and for a push alike', () => {
  const stage = useStage({ repositories: ['mut/app'] })
  const aws = () => awsCli(stage)
  const [first, second] = [buildImage('mutability-1'), buildImage('mutability-2')]
  const repository = ['--repository-name', 'mut/app']
  const setMode = (mode: string, ...filters: string[]) =>
    aws().json<PutImageTagMutabilityResponse>(
      ...['ecr', 'put-image-tag-mutability', ...repository, '--image-tag-mutability', mode],
      ...(filters.length === 0 ? [] : ['--image-tag-mutability-exclusion-filters']),
      ...filters.map((filter) => `filterType=WILDCARD,filter=${filter}`),
    )
  const taken = (tag: string) =>
    `The image tag '${tag}' already exists in the 'mut/app' repository and cannot be overwritten because the tag is immutable.`

  /** Pushes the second image onto a tag that holds the first: by skopeo, then by the API. Answers what each says, empty when it succeeds. */
  async function overwrite(tag: string): Promise<{ push: string; api: string }> {
    await writeOciLayout(stage.path('second'), { v: second })
    const to = ['--dest-tls-verify=false', '--dest-creds', `AWS:${stage.password}`]
    const target = `docker://${stage.host}/mut/app:${tag}`
    const pushed = await attempt([
      ...(await containersTool('skopeo', stage.dir)),
      '--insecure-policy',
      'copy',
      ...to,
      `oci:${stage.path('second')}:v`,
      target,
    ])
    const manifest = first.manifest.bytes.toString()
    const put = [client('aws'), 'ecr', 'put-image', ...repository, '--image-tag', tag, '--image-manifest', manifest]
    const api = await attempt(put, { env: stage.awsEnvironment })
    return { push: pushed.exitCode === 0 ? '' : pushed.stderr, api: api.exitCode === 0 ? '' : api.stderr }
  }

  test('MUTABLE: a tag moves, the image that had it stays', async () => {
    await push(stage, 'mut/app', second)
    await push(stage, 'mut/app', first, 'v1')
    expect<unknown>(await overwrite('v1')).toEqual({ push: '', api: '' })
    expect((await storedManifest(stage, 'mut/app', 'v1')).digest).toBe(first.manifest.digest)
    expect((await storedManifest(stage, 'mut/app', second.manifest.digest)).digest).toBe(second.manifest.digest)
  })

  test('IMMUTABLE: nothing moves a tag, not even to where it points', async () => {
    const answer = await setMode('IMMUTABLE')
    expect<unknown>(answer).toEqual({
      registryId: '000000000000',
      repositoryName: 'mut/app',
      imageTagMutability: 'IMMUTABLE',
    })
    const refused = await overwrite('v1')
    expect(refused.push).toContain(taken('v1'))
    expect(refused.api).toContain(
      `(ImageTagAlreadyExistsException) when calling the PutImage operation: ${taken('v1')}`,
    )
    expect((await storedManifest(stage, 'mut/app', 'v1')).digest).toBe(first.manifest.digest)
    await push(stage, 'mut/app', first, 'v2')
  })

  test('IMMUTABLE_WITH_EXCLUSION: only tags that match a filter move', async () => {
    for (const tag of ['latest', 'dev-1']) await push(stage, 'mut/app', first, tag)
    const { imageTagMutabilityExclusionFilters } = await setMode('IMMUTABLE_WITH_EXCLUSION', 'latest', 'dev-*')
    expect<unknown>(imageTagMutabilityExclusionFilters).toEqual([
      { filterType: 'WILDCARD', filter: 'latest' },
      { filterType: 'WILDCARD', filter: 'dev-*' },
    ])
    for (const tag of ['latest', 'dev-1']) expect<unknown>(await overwrite(tag)).toEqual({ push: '', api: '' })
    expect((await overwrite('v1')).push).toContain(taken('v1'))
  })

  test('MUTABLE_WITH_EXCLUSION: only tags that match a filter stay', async () => {
    await setMode('MUTABLE_WITH_EXCLUSION', 'v*')
    const { repositories } = await aws().json<DescribeRepositoriesResponse>(
      'ecr',
      'describe-repositories',
      '--repository-names',
      'mut/app',
    )
    expect<unknown>(repositories[0]).toMatchObject({
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'v*' }],
    })
    expect((await overwrite('v1')).push).toContain(taken('v1'))
    expect((await overwrite('v1')).api).toContain(taken('v1'))
    expect<unknown>(await overwrite('latest')).toEqual({ push: '', api: '' })
  })

  test('filters belong to the modes with exclusions, and to them only', async () => {
    const failing = ['ecr', 'put-image-tag-mutability', ...repository, '--image-tag-mutability']
    expect(await aws().failure(...failing, 'IMMUTABLE_WITH_EXCLUSION')).toContain('(InvalidParameterException)')
    const withFilters = ['--image-tag-mutability-exclusion-filters', 'filterType=WILDCARD,filter=x']
    expect(await aws().failure(...failing, 'MUTABLE', ...withFilters)).toContain('(InvalidParameterException)')
    await run([client('aws'), ...failing, 'MUTABLE'], { env: stage.awsEnvironment })
    expect<unknown>(await overwrite('v1')).toEqual({ push: '', api: '' })
  })
})
