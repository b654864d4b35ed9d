import { type ServiceModel, type Shape, shapeOf } from '../src/protocols/aws/model.ts'
import type { OperationTable } from '../src/protocols/aws/operation-table.ts'
import type { Variant } from '../test/fidelity/variants/input-variants.ts'
import { operationVariants } from '../test/fidelity/variants/operation-variants.ts'
import { sampleOf, type VariedService } from '../test/fidelity/variants/varied-service.ts'

/** Variants are counted, not sent: any upload and any alias will do. */
const SEED = { uploadId: '00000000-0000-4000-8000-000000000000', alias: 'a0000000' }

/** Where it is tested what members do. */
const SHOWN_BY = {
  ecr: 'What the members do is shown by `test/protocols/ecr/` and, across both interfaces, by `test/fidelity/scenarios/`.',
  'ecr-public': 'What the members do is shown by `test/protocols/ecr-public/`.',
} as const

/** What is checked of each member of each handled operation's input, and how many variants of it the tests send. */
export function memberCoverage(service: VariedService, operations: OperationTable): string {
  const { model, title } = service
  const handled = Object.keys(model.operations)
    .sort()
    .filter((name) => operations.get(name) !== 'unsupported')
  const counted = handled.map((name) => ({
    name,
    variants: operationVariants(service, name, sampleOf(service, name, SEED)),
  }))
  const total = counted.reduce((sum, { variants }) => sum + variants.length, 0)
  return [
    `## ${title}: members of inputs`,
    `What is checked of each member before the operation sees it, and how many variants of it \`test/fidelity/variants.test.ts\` sends (${total} together): left out, null, of other types, at and beyond each bound. ${SHOWN_BY[service.service]}`,
    ...counted.map(({ name, variants }) => detailsOf(model, name, variants)),
  ].join('\n\n')
}

function detailsOf(model: ServiceModel, name: string, variants: readonly Variant[]): string {
  const rows = membersOf(model, model.operations[name]?.input?.shape ?? '', '').map(({ path, checks }) => {
    const count = variants.filter(({ member }) => plainPath(member) === path).length
    return `| \`${path}\` | ${checks} | ${count} |`
  })
  const whole = variants.filter(({ member }) => member === '').length
  const table = [
    '| member | validated | variants |',
    '|---|---|---|',
    `| (the whole input) | JSON | ${whole} |`,
    ...rows,
  ]
  const summary = `<summary>${name}: ${rows.length} members, ${variants.length} variants</summary>`
  return ['<details>', summary, '', ...table, '', '</details>'].join('\n')
}

interface Member {
  readonly path: string
  readonly checks: string
}

function membersOf(model: ServiceModel, shapeName: string, path: string): readonly Member[] {
  const shape = shapeOf(model, shapeName)
  if (shape.type === 'list' && shape.member !== undefined) {
    const item = shapeOf(model, shape.member.shape)
    return [{ path: `${path}[]`, checks: checksOf(item, false) }, ...membersOf(model, shape.member.shape, `${path}[]`)]
  }
  return Object.entries(shape.members ?? {}).flatMap(([name, member]) => {
    if (member === undefined) return []
    const own = path === '' ? name : `${path}.${name}`
    const isRequired = shape.required?.includes(name) ?? false
    const checks = checksOf(shapeOf(model, member.shape), isRequired)
    return [{ path: own, checks }, ...membersOf(model, member.shape, own)]
  })
}

function checksOf({ type, min, max, pattern, enum: values }: Shape, isRequired: boolean): string {
  const isNumber = type === 'integer' || type === 'long'
  const bounds =
    min === undefined && max === undefined ? [] : [`${isNumber ? 'value' : 'length'} ${min ?? 0}..${max ?? ''}`]
  return [
    ...(isRequired ? ['required'] : []),
    type,
    ...bounds,
    ...(pattern === undefined ? [] : ['pattern']),
    ...(values === undefined ? [] : [`one of ${values.length}`]),
  ].join(', ')
}

/** The path as the model writes it: `tags[].Key` for `tags.1.member.key`. */
function plainPath(member: string): string {
  return member
    .replaceAll('.1.member', '[]')
    .replace(/^(ImageManifest|LifecyclePolicyText|PolicyText)$/, (name) => name.charAt(0).toLowerCase() + name.slice(1))
    .replace(/(?<=\[\]\.)(key|value)$/, (name) => name.charAt(0).toUpperCase() + name.slice(1))
}
