import { accessDenied, repositoryNotFound } from '../../../src/domain/errors.ts'
import { parseRegion, parseRegistryId } from '../../../src/domain/names.ts'
import { registryNotFound } from '../../../src/domain/public-registry.ts'
import { shapeOf } from '../../../src/protocols/aws/model.ts'
import { ACCOUNT, OTHER_ACCOUNT, REGION } from '../in-process-registry.ts'
import { SAME, WITHIN } from './expectation.ts'
import type { Variant } from './input-variants.ts'
import { type Members, type Sample, sampleAt } from './sample.ts'
import type { VariedService } from './varied-service.ts'

const MISSING = 'none/such'
const NO_ALIAS = { code: 'RegistryNotFoundException', message: registryNotFound('nobody').message }

/** Inputs about what is not there, is somebody else's, or is tagged in ways that nobody may. */
export function subjectVariants(service: VariedService, operation: string, sample: Sample): readonly Variant[] {
  const { model } = service
  const { input } = sample
  const members = shapeOf(model, model.operations[operation]?.input?.shape ?? '').members ?? {}
  return [
    ...(members.repositoryName === undefined ? [] : [missingVariant(operation, input)]),
    ...(members.repositoryName === undefined || members.registryId === undefined
      ? []
      : [strangerVariant(service, operation, input)]),
    ...(members.registryId?.shape === 'RegistryIdOrAlias' ? aliasVariants(service, operation, sample) : []),
    ...['tags', 'resourceTags'].flatMap((name) => (members[name] === undefined ? [] : tagVariants(name, input))),
  ]
}

function missingVariant(operation: string, input: object): Variant {
  const { code, message } = missing()
  return {
    member: 'repositoryName',
    what: 'of no repository',
    input: { ...input, repositoryName: MISSING },
    expected: operation === 'CreateRepository' ? WITHIN : { kind: 'refused', code, message },
  }
}

function strangerVariant({ service, arnRegion }: VariedService, operation: string, input: Members): Variant {
  // ListImageReferrers has no permission of its own.
  const action = `${service}:${operation === 'ListImageReferrers' ? 'BatchGetImage' : operation}`
  const { message } = accessDenied(
    `arn:aws:iam::${ACCOUNT}:root`,
    action,
    `arn:aws:${service}:${arnRegion}:${OTHER_ACCOUNT}:repository/${input.repositoryName ?? '*'}`,
    `because no resource-based policy allows the ${action} action`,
  )
  return {
    member: 'registryId',
    what: 'of another account',
    input: { ...input, registryId: OTHER_ACCOUNT },
    expected: { kind: 'refused', code: 'AccessDeniedException', message },
  }
}

/** An alias means what the account's id means. One that nobody has is refused with what the operation lists for it. */
function aliasVariants({ model }: VariedService, operation: string, sample: Sample): readonly Variant[] {
  const { code, message } = NO_ALIAS
  const isListed = model.operations[operation]?.errors?.some(({ shape }) => shape === code) ?? false
  const variant = (what: string, registryId: unknown, expected: Variant['expected']): Variant => ({
    member: 'registryId',
    what,
    input: { ...sample.input, registryId },
    expected,
  })
  return [
    variant('the id of the caller', ACCOUNT, SAME),
    variant('an alias of the caller', sampleAt(sample, 'registryId'), SAME),
    variant('an alias of nobody', 'nobody', isListed ? { kind: 'refused', code, message } : WITHIN),
  ]
}

function missing() {
  const registry = { registryId: parseRegistryId(ACCOUNT), region: parseRegion(REGION) }
  return { code: 'RepositoryNotFoundException', message: repositoryNotFound({ name: MISSING, registry }).message }
}

function tagVariants(member: string, input: object): readonly Variant[] {
  const tag = (Key: string, Value = '') => ({ Key, Value })
  const numbered = (length: number) => Array.from({ length }, (_, number) => tag(`key-${number}`))
  const lists = {
    none: [],
    'the same key twice': [tag('a'), tag('a', 'b')],
    'a key of AWS': [tag('aws:cloudformation:stack-name')],
    'an empty key': [tag('')],
    'a key of 128': [tag('k'.repeat(128))],
    'a key of 129': [tag('k'.repeat(129))],
    'a value of 256': [tag('k', 'v'.repeat(256))],
    'a value of 257': [tag('k', 'v'.repeat(257))],
    forty: numbered(40),
    'fifty-one': numbered(51),
  }
  return Object.entries(lists).map(([what, tags]) => ({
    member,
    what,
    input: { ...input, [member]: tags },
    expected: WITHIN,
  }))
}
