import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import iamModel from '../../models/iam.json' with { type: 'json' }
import stsModel from '../../models/sts.json' with { type: 'json' }
import type { ServiceModel } from '../../src/protocols/aws/model.ts'
import { iamService } from '../../src/protocols/iam/operations.ts'
import type { StsServices } from '../../src/protocols/sts/operation.ts'
import { stsService } from '../../src/protocols/sts/operations.ts'
import type { IamServices } from '../../src/services/iam/iam-services.ts'
import { ACCOUNT, type InProcessRegistry, REGION, startInProcess } from './in-process-registry.ts'
import { goodParameters, type QueryVariant, queryVariants } from './variants/query-variants.ts'

const SERVICES: readonly {
  readonly name: string
  readonly model: ServiceModel
  readonly handled: readonly string[]
}[] = [
  { name: 'iam', model: iamModel, operations: iamService({} as IamServices).operations },
  { name: 'sts', model: stsModel, operations: stsService({} as StsServices).operations },
].map(({ name, model, operations }) => ({
  name,
  model,
  handled: Object.keys(model.operations).filter((one) => operations.get(one) !== 'unsupported'),
}))

let registry: InProcessRegistry
let count = 0
beforeAll(async () => {
  registry = await startInProcess()
})
afterAll(async () => {
  expect(registry.mistakes).toEqual([])
  await registry.close()
})

interface Answer {
  readonly status: number
  readonly code: string
  readonly message: string
}

async function call(
  { name, model }: { readonly name: string; readonly model: ServiceModel },
  operation: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Answer> {
  const scope = `${ACCOUNT}/20260302/${REGION}/${name}/aws4_request`
  const response = await registry.send(
    new Request('http://registry.test:4566/', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'x-amz-date': '20260302T080000Z',
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
      },
      body: new URLSearchParams({ Action: operation, Version: model.metadata.apiVersion, ...parameters }).toString(),
    }),
  )
  const text = await response.text()
  const unescaped = (found: string | undefined) =>
    (found ?? '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&apos;', "'")
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&')
  return {
    status: response.status,
    code: /<Code>(.*?)<\/Code>/s.exec(text)?.[1] ?? '',
    message: unescaped(/<Message>(.*?)<\/Message>/s.exec(text)?.[1]),
  }
}

/** Why an answer is not what the variant must lead to. */
function judge({ what, refusal }: QueryVariant, { status, code, message }: Answer): string | undefined {
  const said = `${what}: ${status} ${code} ${message}`.slice(0, 400)
  if (status >= 500) return said
  if (refusal !== undefined)
    return status === 400 && code === refusal.code && message === refusal.message
      ? undefined
      : `${said}, instead of ${refusal.code} ${refusal.message}`
  // Nothing in the model speaks against it: accepted, or refused for another reason than the model's.
  return /Value .*failed to satisfy constraint/s.test(message) || code === 'MalformedInput' ? said : undefined
}

for (const service of SERVICES)
  describe(`every variant of an input of ${service.name} is accepted or refused as the model says:`, () => {
    test.each(service.handled.map((name) => [name] as const))(
      '%s',
      async (operation) => {
        const variants = queryVariants(service.model, operation)
        const wrong: string[] = []
        for (const variant of variants) {
          const complaint = judge(variant, await call(service, operation, variant.parameters))
          if (complaint !== undefined) wrong.push(complaint)
        }
        count += variants.length
        expect(wrong).toEqual([])
        // What is good but for what it speaks of is no fault of the input.
        const good = await call(service, operation, goodParameters(service.model, operation))
        expect([good.status < 500, /constraint|MalformedInput/.test(`${good.code} ${good.message}`)]).toEqual([
          true,
          false,
        ])
      },
      30_000,
    )
  })

test('these are at least a thousand', () => {
  expect(count).toBeGreaterThan(1_000)
})
