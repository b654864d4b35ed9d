import { accessDenied, repositoryNotFound } from '../../../src/domain/errors.ts'
import { parseRegion, parseRegistryId } from '../../../src/domain/names.ts'
import { type ServiceModel, shapeOf } from '../../../src/protocols/aws/model.ts'
import { ACCOUNT, OTHER_ACCOUNT, REGION } from '../in-process-registry.ts'
import { WITHIN } from './expectation.ts'
import type { Variant } from './input-variants.ts'
import type { Sample } from './sample-inputs.ts'

const MISSING = 'none/such'

/** Inputs about what is not there, is somebody else's, or is tagged in ways that nobody may. */
export function subjectVariants(model: ServiceModel, operation: string, { input }: Sample): readonly Variant[] {
  const members = shapeOf(model, model.operations[operation]?.input?.shape ?? '').members ?? {}
  return [
    ...(members.repositoryName === undefined ? [] : repositoryVariants(operation, input)),
    ...['tags', 'resourceTags'].flatMap((name) => (members[name] === undefined ? [] : tagVariants(name, input))),
  ]
}

function repositoryVariants(operation: string, input: object): readonly Variant[] {
  const { code, message } = missing()
  const isMade = operation === 'CreateRepository'
  // ListImageReferrers has no permission of its own.
  const action = `ecr:${operation === 'ListImageReferrers' ? 'BatchGetImage' : operation}`
  const name = isMade ? 'team/new' : operation === 'DeleteRepository' ? 'team/empty' : 'team/app'
  const denied = accessDenied(
    `arn:aws:iam::${ACCOUNT}:root`,
    action,
    `arn:aws:ecr:${REGION}:${OTHER_ACCOUNT}:repository/${name}`,
    `because no resource-based policy allows the ${action} action`,
  )
  return [
    {
      member: 'repositoryName',
      what: 'of no repository',
      input: { ...input, repositoryName: MISSING },
      expected: isMade ? WITHIN : { kind: 'refused', code, message },
    },
    {
      member: 'registryId',
      what: 'of another account',
      input: { ...input, registryId: OTHER_ACCOUNT },
      expected: { kind: 'refused', code: 'AccessDeniedException', message: denied.message },
    },
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
