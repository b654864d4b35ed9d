import { describe, expect, test } from 'bun:test'
import { ACCOUNT, REGION, startInProcess } from './in-process-registry.ts'
import { ECR, sampleOf } from './variants/varied-service.ts'

/** The permissions that are not named as their operation. */
const ACTIONS: Readonly<Record<string, string>> = { ListImageReferrers: 'BatchGetImage' }

/** The operations about one repository, by the samples that name one. */
const seed = { uploadId: crypto.randomUUID(), alias: ACCOUNT }
const operations = Object.keys(ECR.samples(seed)).filter((operation) => {
  const { input, optional } = sampleOf(ECR, operation, seed)
  return ['repositoryName', 'repositoryNames', 'resourceArn'].some((member) => member in { ...optional, ...input })
})

describe('an operation asks for the permission of its name, and for no other first:', () => {
  test.each(operations)('%s', async (operation) => {
    const registry = await startInProcess()
    const call = (name: string, input: object) => registry.call(name, input)
    const sample = sampleOf(
      ECR,
      operation,
      await ECR.seed(async (name, input, service) => {
        const answer = await registry.call(name, input, service === undefined ? {} : { service })
        expect([name, answer.status]).toEqual([name, 200])
        return answer
      }),
    )
    for (const [name, input] of sample.before ?? []) expect((await call(name, input)).status).toBe(200)
    const action = `ecr:${ACTIONS[operation] ?? operation}`
    const input = 'repositoryNames' in sample.optional ? { ...sample.optional, ...sample.input } : sample.input
    const { maxResults: _, nextToken: __, ...asked } = input as Record<string, unknown>
    for (const denied of [action, 'ecr:*']) {
      const policyText = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Deny', Principal: '*', Action: denied, Resource: `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/*` },
        ],
      })
      expect((await call('PutRegistryPolicy', { policyText })).status).toBe(200)
      const { status, body } = await call(operation, asked)
      expect([status, body.__type]).toEqual([400, 'AccessDeniedException'])
      expect(String(body.message)).toContain(`is not authorized to perform: ${action} on resource: `)
    }
    expect(registry.mistakes).toEqual([])
    await registry.close()
  })
})

test('these are all the operations about repositories', () => {
  expect(operations.length).toBeGreaterThanOrEqual(30)
})
