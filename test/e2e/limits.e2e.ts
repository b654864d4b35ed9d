import { describe, expect, test } from 'bun:test'
import { CreateRepositoryCommand, DescribeRepositoriesCommand } from '@aws-sdk/client-ecr'
import { useStage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { ecrClient } from '../support/start-registry.ts'

describe('limits that an operator sets', () => {
  const stage = useStage({
    repositories: ['app'],
    env: { ECRU_QUOTAS: 'imagesPerRepository=1,repositoriesPerRegistry=1', ECRU_RATES: 'aws,DescribeRepositories=1' },
  })

  test('quotas end what goes beyond them, on both interfaces', async () => {
    await push(stage, 'app', buildImage('first'), 'v1')
    const second = buildImage('second')
    const refused = await push(stage, 'app', second, 'v2').catch(String)
    expect(refused).toContain('429')
    expect(refused).toContain("already has the maximum allowed number of images which is '1'")
    const ecr = ecrClient(stage.url)
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName: 'another' }))).rejects.toMatchObject({
      name: 'LimitExceededException',
      message: 'The limit of 1 repositories per registry has been exceeded',
    })
    ecr.destroy()
  })

  test('rates slow down who asks too often, on both interfaces', async () => {
    const ecr = ecrClient(stage.url)
    const many = Array.from({ length: 20 })
    const statuses = await Promise.all(many.map(async () => (await wire(stage, '_catalog')).status))
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
    const describe = () => ecr.send(new DescribeRepositoriesCommand()).catch(String)
    expect(await Promise.all(many.map(describe))).toContain('ThrottlingException: Rate exceeded')
    ecr.destroy()
  })
})

describe('ECRU_FIDELITY=aws', () => {
  const stage = useStage({ repositories: ['app'], env: { ECRU_FIDELITY: 'aws' } })

  test('has the rates of AWS: ten images a second', async () => {
    const image = buildImage('fast')
    await push(stage, 'app', image, 'v0')
    const tag = async (n: number) => {
      const { bytes, mediaType } = image.manifest
      const headers = { 'content-type': mediaType }
      return (await wire(stage, `app/manifests/v${n}`, { method: 'PUT', headers, body: new Uint8Array(bytes) })).status
    }
    const statuses = await Promise.all(Array.from({ length: 100 }, (_, n) => tag(n + 1)))
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(9)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0)
  })
})
