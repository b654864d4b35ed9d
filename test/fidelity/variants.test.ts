import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { unsupportedOperation } from '../../src/domain/errors.ts'
import { unsupportedCommand } from '../../src/domain/public-registry.ts'
import type { EcrServices } from '../../src/protocols/ecr/operation.ts'
import { ecrService } from '../../src/protocols/ecr/operations.ts'
import type { OwnPublicServices } from '../../src/protocols/ecr-public/operation.ts'
import { ecrPublicService } from '../../src/protocols/ecr-public/operations.ts'
import {
  type ApiAnswer,
  type ApiService,
  type InProcessRegistry,
  REGION,
  startInProcess,
} from './in-process-registry.ts'
import type { Variant } from './variants/input-variants.ts'
import { operationVariants } from './variants/operation-variants.ts'
import type { Sample } from './variants/sample.ts'
import { ECR, ECR_PUBLIC, sampleOf, type VariedService } from './variants/varied-service.ts'

/** The services, and which of their operations are performed. */
const SERVICES = [
  { varied: ECR, operations: ecrService({} as EcrServices).operations },
  { varied: ECR_PUBLIC, operations: ecrPublicService({} as EcrServices & OwnPublicServices).operations },
].map(({ varied, operations }) => {
  const names = Object.keys(varied.model.operations)
  const isRefused = (name: string) => operations.get(name) === 'unsupported'
  return { varied, handled: names.filter((name) => !isRefused(name)), refused: names.filter(isRefused) }
})

/** Asking changes nothing, so that the next variant may ask the same registry. */
const ASKS = /^(Batch(Check|Get)|Describe|Get|List)/

/** A registry with the seed in it, made anew after whatever changed it. */
class SeededRegistry {
  #now: { readonly registry: InProcessRegistry; readonly sample: Sample } | undefined
  readonly #varied: VariedService
  readonly #operation: string

  constructor(varied: VariedService, operation: string) {
    this.#varied = varied
    this.#operation = operation
  }

  async current() {
    if (this.#now !== undefined) return this.#now
    const registry = await startInProcess()
    const call = async (operation: string, input: object, service: ApiService = this.#varied.service) => {
      const answer = await registry.call(operation, input, { service })
      if (answer.status !== 200) throw new Error(`${operation}: ${JSON.stringify(answer.body)}`)
      return answer
    }
    const sample = sampleOf(this.#varied, this.#operation, await this.#varied.seed(call))
    for (const [operation, input] of sample.before ?? []) await call(operation, input)
    this.#now = { registry, sample }
    return this.#now
  }

  async discard(): Promise<readonly unknown[]> {
    const { registry } = await this.current()
    this.#now = undefined
    await registry.close()
    return registry.mistakes
  }
}

/** Why an answer is not what the variant must lead to. */
function judge(
  { model }: VariedService,
  operation: string,
  { refusal }: Sample,
  { member, expected }: Variant,
  { status, body }: ApiAnswer,
): string | undefined {
  const { __type: code, message } = body
  const said = `${status} ${code ?? ''} ${message ?? ''}`.slice(0, 300)
  if (expected.kind === 'refused') {
    const isAsExpected = status === 400 && code === expected.code && message === expected.message
    return isAsExpected ? undefined : `${said}, instead of ${expected.code} ${expected.message}`
  }
  if (refusal === undefined ? status === 200 : status === 400 && code === refusal) return undefined
  if (expected.kind === 'same') return `${said}, instead of success`
  if (status !== 400) return said
  const isAboutAnother = member.startsWith('registryId') && code === 'AccessDeniedException'
  const errors: readonly string[] = model.operations[operation]?.errors?.map(({ shape }) => shape) ?? []
  if (!isAboutAnother && !errors.includes(String(code))) return `${said}, which the model does not list`
  if (code === 'InvalidParameterException' && !FORMS.some((form) => form.test(String(message))))
    return `${said}, which is no form of its message`
  return undefined
}

/** How InvalidParameterException speaks. */
const FORMS = [
  /^Invalid parameter at '[A-Za-z0-9.]+' failed to satisfy constraint: '.+'$/s,
  /^Invalid request parameters: .+$/,
]

let variantCount = 0

/** Nothing is in it, and nothing comes into it. */
let empty: InProcessRegistry

beforeAll(async () => {
  empty = await startInProcess()
})

afterAll(async () => {
  expect(empty.mistakes).toEqual([])
  await empty.close()
})

for (const { varied, handled, refused } of SERVICES)
  describe(varied.title, () => {
    describe('every variant of an input is accepted or refused as the model says:', () => {
      for (const operation of handled) test(operation, () => sendVariants(varied, operation), 30_000)
    })

    if (refused.length > 0)
      describe('an operation that is not performed is refused by name, whatever it is given:', () => {
        for (const operation of refused)
          test(operation, async () => {
            const inputs = [{}, { repositoryName: 'team/app' }, { repositoryName: 7 }, '', 'null', '{', '[]']
            const { message } = unsupportedOperation(varied.model.metadata.serviceId, operation)
            for (const input of inputs) {
              const answer = await empty.call(operation, input, { service: varied.service })
              expect([input, answer]).toEqual([
                input,
                { status: 400, body: { __type: 'UnsupportedOperationException', message } },
              ])
            }
            variantCount += inputs.length
          })
      })
  })

async function sendVariants(varied: VariedService, operation: string): Promise<void> {
  const seeded = new SeededRegistry(varied, operation)
  const { sample } = await seeded.current()
  const variants = operationVariants(varied, operation, sample)
  const wrong: string[] = []
  const mistakes: unknown[] = []
  for (const variant of variants) {
    const { registry } = await seeded.current()
    const answer = await registry.call(operation, variant.input, { service: varied.service })
    const complaint = judge(varied, operation, sample, variant, answer)
    if (complaint !== undefined) wrong.push(`${variant.member} ${variant.what}: ${complaint}`)
    if (answer.status === 200 && !ASKS.test(operation)) mistakes.push(...(await seeded.discard()))
  }
  mistakes.push(...(await seeded.discard()))
  variantCount += variants.length
  expect(wrong).toEqual([])
  expect(mistakes).toEqual([])
}

test('Amazon ECR Public performs no operation elsewhere than in its region', async () => {
  const { model, service } = ECR_PUBLIC
  const seed = { uploadId: crypto.randomUUID(), alias: 'nobody' }
  for (const region of [REGION, 'us-east-2', 'us-gov-west-1', 'cn-north-1'])
    for (const operation of Object.keys(model.operations)) {
      const { input, optional } = sampleOf(ECR_PUBLIC, operation, seed)
      const body = { __type: 'UnsupportedCommandException', message: unsupportedCommand(region).message }
      for (const given of [input, { ...optional, ...input }]) {
        const answer = await empty.call(operation, given, { service, region })
        expect([operation, answer]).toEqual([operation, { status: 400, body }])
        variantCount++
      }
    }
})

test('these are at least six thousand', () => {
  expect(variantCount).toBeGreaterThan(6_000)
})
