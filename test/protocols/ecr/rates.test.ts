import { expect, test } from 'bun:test'
import { CreateRepositoryCommand, DescribeRepositoriesCommand, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { createEcr, refusalOf } from './ecr-fixture.ts'

test('an account that calls too often is told so, and another is not', async () => {
  const ecr = await createEcr(undefined, { rates: { GetAuthorizationToken: 2 } })
  const login = (client = ecr.client) => client.send(new GetAuthorizationTokenCommand())
  await login()
  await login()
  expect(await refusalOf(login())).toEqual(['ThrottlingException', 'Rate exceeded'])
  await login(ecr.clientOf('999999999999'))
  ecr.clock.advance(500)
  await login()
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

test('a call about several repositories is one call', async () => {
  const ecr = await createEcr(undefined, { rates: { DescribeRepositories: 1 } })
  const repositoryNames = ['app', 'other']
  for (const repositoryName of repositoryNames) await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
  const describe = () => ecr.client.send(new DescribeRepositoriesCommand({ repositoryNames }))
  expect((await describe()).repositories).toHaveLength(2)
  expect((await refusalOf(describe()))[0]).toBe('ThrottlingException')
  await ecr.close()
  expect(ecr.reported).toEqual([])
})
