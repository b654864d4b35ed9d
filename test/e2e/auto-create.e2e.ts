import { describe, expect } from 'bun:test'
import { DescribeRepositoriesCommand } from '@aws-sdk/client-ecr'
import { testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { servesEveryByte, wire } from '../support/clients/wire.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { ecrClient } from '../support/start-registry.ts'

const test = testWith('skopeo')

describe('ECRU_AUTO_CREATE makes repositories when something is pushed', () => {
  const stage = useStage({ env: { ECRU_AUTO_CREATE: 'true' } })
  const repositories = async () => {
    const ecr = ecrClient(stage.url)
    const answer = await ecr.send(new DescribeRepositoriesCommand({}))
    ecr.destroy()
    return answer.repositories?.map(({ repositoryName }) => repositoryName)
  }

  test('a pull of what is not there makes nothing', async () => {
    expect((await wire(stage, 'auto/app/manifests/v1')).status).toBe(404)
    expect((await wire(stage, 'auto/app/tags/list')).status).toBe(404)
    expect(await repositories()).toEqual([])
  })

  test('a push makes the repository', async () => {
    const image = buildImage('auto-create')
    await writeOciLayout(stage.path('layout'), { v1: image })
    const copy = [
      ...(await containersTool('skopeo', stage.dir)),
      '--insecure-policy',
      'copy',
      '--dest-tls-verify=false',
    ]
    await run([
      ...copy,
      '--dest-creds',
      `AWS:${stage.password}`,
      `oci:${stage.path('layout')}:v1`,
      `docker://${stage.host}/auto/app:v1`,
    ])
    expect(await servesEveryByte(stage, 'auto/app', image)).toBe(true)
    expect(await repositories()).toEqual(['auto/app'])
  })
})
