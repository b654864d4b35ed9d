import { type ServiceModel, type Shape, shapeOf } from '../../../src/protocols/aws/model.ts'

/** The parameters of a Query request that differ in one thing from good ones. */
export interface QueryVariant {
  readonly what: string
  readonly parameters: Readonly<Record<string, string>>
  /** What it must be refused with; absent: the model has nothing against it. */
  readonly refusal?: { readonly code: string; readonly message: string } | undefined
}

type Parameters = Readonly<Record<string, string>>

/** A text that a shape takes, by its pattern, or by what members of that name mean. */
function goodText(shape: Shape, member: string): string {
  if (shape.enum !== undefined) return shape.enum[0] ?? ''
  if (/Document$|^Policy$|^PolicyInput|ResourcePolicy/.test(member))
    return '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecr:*","Resource":"*"}}'
  if (/^AWSServiceName$/.test(member)) return 'replication.ecr.amazonaws.com'
  if (/ARN|Arn|^arn$|ResourceOwner|PermissionsBoundary/.test(member))
    return 'arn:aws:iam::123456789012:user/nobody-of-that-name'
  if (/Url$/.test(member)) return 'https://issuer.example.com'
  if (/Path/.test(member)) return '/team/'
  if (/VersionId/.test(member)) return 'v1'
  if (/Thumbprint/i.test(member)) return 'a'.repeat(40)
  if (/AccessKeyId/.test(member)) return 'AKIAAAAAAAAAAAAAAAAA'
  return 'a'.repeat(Math.max(shape.min ?? 1, 6)).slice(0, shape.max ?? 6)
}

/** Values for all that an operation requires, and no more. */
export function goodParameters(model: ServiceModel, operation: string): Parameters {
  const input = model.operations[operation]?.input?.shape
  return input === undefined ? {} : goodStructure(model, shapeOf(model, input), '')
}

function goodStructure(model: ServiceModel, shape: Shape, prefix: string): Parameters {
  return Object.fromEntries(
    (shape.required ?? []).flatMap((name) => {
      const member = shape.members?.[name]
      return member === undefined ? [] : Object.entries(goodValue(model, member.shape, prefix + name, name))
    }),
  )
}

function goodValue(model: ServiceModel, shapeName: string, path: string, member: string): Parameters {
  const shape = shapeOf(model, shapeName)
  switch (shape.type) {
    case 'structure':
      return goodStructure(model, shape, `${path}.`)
    case 'list':
      return goodValue(model, shape.member?.shape ?? '', `${path}.member.1`, member)
    case 'integer':
      return { [path]: String(shape.min ?? 1) }
    case 'boolean':
      return { [path]: 'true' }
    default:
      return { [path]: goodText(shape, member) }
  }
}

/** Every way in which a member at the top of an input can differ from a good one, as far as the model tells. */
export function queryVariants(model: ServiceModel, operation: string): readonly QueryVariant[] {
  const input = model.operations[operation]?.input?.shape
  if (input === undefined) return [{ what: 'an unknown parameter', parameters: { Nonsense: 'x' } }]
  const shape = shapeOf(model, input)
  const good = goodParameters(model, operation)
  return [
    { what: 'an unknown parameter', parameters: { ...good, 'Nonsense.member.1': 'x', constructor: '1' } },
    ...Object.entries(shape.members ?? {}).flatMap(([name, member]) =>
      member === undefined ? [] : memberVariants(model, shape, name, shapeOf(model, member.shape), good),
    ),
  ]
}

function memberVariants(
  model: ServiceModel,
  { required = [] }: Shape,
  name: string,
  shape: Shape,
  good: Parameters,
): readonly QueryVariant[] {
  const others = Object.fromEntries(
    Object.entries(good).filter(([path]) => path !== name && !path.startsWith(`${name}.`)),
  )
  const path = name.charAt(0).toLowerCase() + name.slice(1)
  const broken = (value: string | undefined, reason: string) => {
    const repeated = shape.sensitive || value === undefined ? '' : `${value} `
    return {
      code: 'ValidationError',
      message: `1 validation error detected: Value ${repeated}at '${path}' failed to satisfy constraint: ${reason}`,
    }
  }
  const missing: QueryVariant = {
    what: `${name} missing`,
    parameters: others,
    refusal: required.includes(name)
      ? { ...broken('null', 'Member must not be null'), message: missingMessage(path) }
      : undefined,
  }
  const put = (value: string): Parameters => ({ ...others, [name]: value })
  switch (shape.type) {
    case 'string':
      return [missing, ...textVariants(shape, name, put, broken)]
    case 'integer':
    case 'long':
      return [missing, ...numberVariants(shape, name, put, broken)]
    case 'boolean':
      return [missing, ...['yes', '1', 'TRUE', ''].map((value) => malformed(name, value, put))]
    case 'list':
      return [missing, ...listVariants(model, shape, name, others, broken)]
    default:
      return [missing]
  }
}

const missingMessage = (path: string) =>
  `1 validation error detected: Value null at '${path}' failed to satisfy constraint: Member must not be null`

type Broken = (value: string | undefined, reason: string) => { readonly code: string; readonly message: string }
type Put = (value: string) => Parameters

/** Longer values than these are cut off where they are repeated. */
const REPEATED_MAX = 1024

function repeated(value: string): string {
  return `'${value.length > REPEATED_MAX ? `${value.slice(0, REPEATED_MAX)}…` : value}'`
}

function textVariants(shape: Shape, name: string, put: Put, broken: Broken): readonly QueryVariant[] {
  const { min = 0, max, pattern, enum: values } = shape
  const variants: QueryVariant[] = []
  const add = (what: string, value: string) => {
    const reason = reasonAgainst(shape, value)
    const refusal = reason === undefined ? undefined : broken(repeated(value), reason)
    variants.push({ what: `${name} ${what}`, parameters: put(value), refusal })
  }
  if (min > 0) add('too short', 'a'.repeat(min - 1))
  if (max !== undefined && max <= 200_000) add('too long', 'a'.repeat(max + 1))
  if (values !== undefined) for (const value of ['NONE_SUCH', `${values[0]} `]) add(`not of the enum: ${value}`, value)
  if (pattern !== undefined)
    for (const value of ['!{}', 'a b\tc', 'ÄÖ', '../..', '<script>', "a'b", '\u{1f986}', 'a/b', '"'])
      add(`with ${value}`, value)
  return variants
}

function reasonAgainst({ min = 0, max = Number.POSITIVE_INFINITY, pattern, enum: values }: Shape, value: string) {
  const length = [...value].length
  if (length < min) return `Member must have length greater than or equal to ${min}`
  if (length > max) return `Member must have length less than or equal to ${max}`
  if (values !== undefined && !values.includes(value))
    return `Member must satisfy enum value set: [${values.join(', ')}]`
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`).test(value))
    return `Member must satisfy regular expression '${pattern}'`
  return undefined
}

function numberVariants({ min, max }: Shape, name: string, put: Put, broken: Broken): readonly QueryVariant[] {
  const variants: QueryVariant[] = ['x', '1.5', '', '0x10', '1e3'].map((value) => malformed(name, value, put))
  if (min !== undefined) {
    const refusal = broken(`'${min - 1}'`, `Member must have value greater than or equal to ${min}`)
    variants.push({ what: `${name} below`, parameters: put(String(min - 1)), refusal })
    variants.push({ what: `${name} least`, parameters: put(String(min)) })
  }
  if (max !== undefined) {
    const refusal = broken(`'${max + 1}'`, `Member must have value less than or equal to ${max}`)
    variants.push({ what: `${name} above`, parameters: put(String(max + 1)), refusal })
    variants.push({ what: `${name} most`, parameters: put(String(max)) })
  }
  return variants
}

function malformed(name: string, value: string, put: Put): QueryVariant {
  const message = `The value ${value} is not of the type that the parameter has`
  return {
    what: `${name} of another type: ${value}`,
    parameters: put(value),
    refusal: { code: 'MalformedInput', message },
  }
}

/** One entry more than a list may have, where that is not too much to send. */
function listVariants(
  model: ServiceModel,
  { member, max }: Shape,
  name: string,
  others: Parameters,
  broken: Broken,
): readonly QueryVariant[] {
  const shapeName = member?.shape ?? ''
  const item = shapeOf(model, shapeName)
  const isNothing = Object.keys(goodValue(model, shapeName, '', name)).length === 0
  if (max === undefined || max > 200 || isNothing) return []
  const entries = Array.from({ length: max + 1 }, (_, index) =>
    Object.entries(goodValue(model, shapeName, `${name}.member.${index + 1}`, name)),
  )
  const text = item.type === 'string' ? entries.map(([first]) => first?.[1] ?? '').join(', ') : undefined
  return [
    {
      what: `${name} with too many entries`,
      parameters: { ...others, ...Object.fromEntries(entries.flat()) },
      refusal: broken(
        text === undefined ? undefined : repeated(`[${text}]`),
        `Member must have length less than or equal to ${max}`,
      ),
    },
  ]
}
