import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import ecrModel from '../../models/ecr.json' with { type: 'json' }
import { unsupportedOperation } from '../../src/domain/errors.ts'
import type { ServiceModel } from '../../src/protocols/aws/model.ts'
import type { EcrServices } from '../../src/protocols/ecr/operation.ts'
import { ecrService } from '../../src/protocols/ecr/operations.ts'
import { type ApiAnswer, type InProcessRegistry, startInProcess } from './in-process-registry.ts'
import type { Variant } from './variants/input-variants.ts'
import { operationVariants } from './variants/operation-variants.ts'
import { type Sample, sampleOf, seed } from './variants/sample-inputs.ts'

const model: ServiceModel = ecrModel
const { operations } = ecrService({} as EcrServices)
const names = Object.keys(model.operations)
const handled = names.filter((name) => operations.get(name) !== 'unsupported')
const refused = names.filter((name) => operations.get(name) === 'unsupported')

/** Asking changes nothing, so that the next variant may ask the same registry. */
const ASKS = /^(Batch(Check|Get)|Describe|Get|List)/

/** A registry with the seed in it, made anew after whatever changed it. */
class SeededRegistry {
  #now: { readonly registry: InProcessRegistry; readonly sample: Sample } | undefined
  readonly #operation: string

  constructor(operation: string) {
    this.#operation = operation
  }

  async current() {
    if (this.#now !== undefined) return this.#now
    const registry = await startInProcess()
    const sample = sampleOf(this.#operation, await seed(registry))
    for (const [operation, input] of sample.before ?? []) await registry.call(operation, input)
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

describe('every variant of an input is accepted or refused as the model says:', () => {
  for (const operation of handled)
    test(operation, async () => {
      const seeded = new SeededRegistry(operation)
      const { sample } = await seeded.current()
      const variants = operationVariants(model, operation, sample)
      const wrong: string[] = []
      const mistakes: unknown[] = []
      for (const variant of variants) {
        const { registry } = await seeded.current()
        const answer = await registry.call(operation, variant.input)
        const complaint = judge(operation, sample, variant, answer)
        if (complaint !== undefined) wrong.push(`${variant.member} ${variant.what}: ${complaint}`)
        if (answer.status === 200 && !ASKS.test(operation)) mistakes.push(...(await seeded.discard()))
      }
      mistakes.push(...(await seeded.discard()))
      variantCount += variants.length
      expect(wrong).toEqual([])
      expect(mistakes).toEqual([])
    }, 30_000)
})

describe('an operation that is not performed is refused by name, whatever it is given:', () => {
  let registry: InProcessRegistry
  beforeAll(async () => {
    registry = await startInProcess()
  })
  afterAll(() => registry.close())

  for (const operation of refused)
    test(operation, async () => {
      const inputs = [{}, { repositoryName: 'team/app' }, { repositoryName: 7 }, '', 'null', '{', '[]']
      const { message } = unsupportedOperation('ECR', operation)
      for (const input of inputs) {
        const answer = await registry.call(operation, input)
        expect([input, answer]).toEqual([
          input,
          { status: 400, body: { __type: 'UnsupportedOperationException', message } },
        ])
      }
      variantCount += inputs.length
    })
})

test('these are at least two thousand', () => {
  expect(variantCount).toBeGreaterThan(2_000)
})
