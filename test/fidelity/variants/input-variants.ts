import { type ServiceModel, type Shape, shapeOf } from '../../../src/protocols/aws/model.ts'
import { constraintVariants } from './constraint-variants.ts'
import { brokenConstraint, type Expected, SAME, unreadable, type ValueVariant, WITHIN } from './expectation.ts'
import { wrongTypeVariants } from './wrong-types.ts'

/** A request that differs in one thing from one that is right. */
export interface Variant {
  /** The member that differs, as `imageIds.1.member.imageTag`; empty: the input as a whole. */
  readonly member: string
  readonly what: string
  readonly input: unknown
  readonly expected: Expected
}

/** Values that the operation has no objection to, by member path without list positions. */
export type Samples = (path: string) => unknown

/** How ECR's texts spell a member; others begin in lower case. */
const SPELLING: Readonly<Record<string, string>> = {
  imageManifest: 'ImageManifest',
  lifecyclePolicyText: 'LifecyclePolicyText',
  policyText: 'PolicyText',
}

/** A place in an input: how error texts name it, how samples do, and how to put a value there. */
interface Place {
  readonly printed: string
  readonly sample: string
  put(value: unknown): unknown
}

/**
 * Every way in which one member of an input can differ from a good one, as far as the model tells: left out, null, of
 * another type, at and beyond each bound, in and outside of patterns and enums; and the input as a whole.
 */
export function variantsOf(model: ServiceModel, operation: string, samples: Samples): readonly Variant[] {
  const shapeName = model.operations[operation]?.input?.shape ?? ''
  const shape = shapeOf(model, shapeName)
  const good = samples('')
  const root: Place = { printed: '', sample: '', put: (value) => value }
  return [...wholeInput(shape, good), ...structure(model, shape, root, good, samples)]
}

function wholeInput(shape: Shape, good: unknown): readonly Variant[] {
  const [required] = Object.keys(shape.members ?? {}).filter((name) => shape.required?.includes(name))
  const empty: Expected =
    required === undefined ? WITHIN : brokenConstraint(printed('', required), 'Member must not be null')
  const broken = unreadable('The request body is not valid JSON')
  const text = JSON.stringify(good)
  const whole = (what: string, input: unknown, expected: Expected): Variant => ({ member: '', what, input, expected })
  return [
    whole('as it should be', good, SAME),
    whole('with white space around it', `\n\t ${text} \r\n`, SAME),
    whole('with an unknown member', { ...(good as object), unknownMember: { deep: [1, null] } }, SAME),
    whole('with a member in other letters', { ...(good as object), REPOSITORYNAME: 7 }, SAME),
    whole('with a member of every object', { ...(good as object), constructor: 1, toString: 2 }, SAME),
    whole('empty', {}, empty),
    whole('no body', '', empty),
    whole('null', 'null', empty),
    whole('not closed', text.slice(0, -1), broken),
    whole('followed by something', `${text}}`, broken),
    whole('not JSON', 'repositoryName=app', broken),
    whole('not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), broken),
    ...['[]', '"text"', '7', 'true'].map((input) => whole(input, input, unreadable('Expected structure or null'))),
  ]
}

function structure(model: ServiceModel, shape: Shape, at: Place, good: unknown, samples: Samples): readonly Variant[] {
  return Object.entries(shape.members ?? {}).flatMap(([name, member]) => {
    if (member === undefined) return []
    const { [name]: _, ...others } = (good ?? {}) as Record<string, unknown>
    const place: Place = {
      printed: printed(at.printed, name),
      sample: at.sample === '' ? name : `${at.sample}.${name}`,
      put: (value) => at.put(value === undefined ? others : { ...others, [name]: value }),
    }
    const isRequired = shape.required?.includes(name) ?? false
    const withoutIt = at.sample === '' ? SAME : WITHIN
    const missing = isRequired ? brokenConstraint(place.printed, 'Member must not be null') : withoutIt
    return [
      ...put(place, [
        { what: 'missing', value: undefined, expected: missing },
        { what: 'null', value: null, expected: missing },
      ]),
      ...valueVariants(model, member.shape, place, samples),
    ]
  })
}

/** The variants of a value that is there. */
function valueVariants(model: ServiceModel, shapeName: string, place: Place, samples: Samples): readonly Variant[] {
  const shape = shapeOf(model, shapeName)
  const good = samples(place.sample)
  const own = put(place, [
    { what: 'given', value: good, expected: WITHIN },
    ...wrongTypeVariants(shape),
    ...constraintVariants(shape, place.printed, good),
  ])
  if (shape.type === 'structure') return [...own, ...structure(model, shape, place, good, samples)]
  if (shape.type !== 'list' || shape.member === undefined) return own
  const item: Place = {
    printed: `${place.printed}.1.member`,
    sample: `${place.sample}[]`,
    put: (value) => place.put([value]),
  }
  const nothing = {
    what: 'null in the list',
    value: null,
    expected: brokenConstraint(item.printed, 'Member must not be null'),
  }
  return [...own, ...put(item, [nothing]), ...valueVariants(model, shape.member.shape, item, samples)]
}

function put(place: Place, values: readonly ValueVariant[]): readonly Variant[] {
  return values.map(({ what, value, expected }) => ({
    member: place.printed,
    what,
    input: place.put(value),
    expected,
  }))
}

function printed(parent: string, name: string): string {
  const own = SPELLING[name] ?? name.charAt(0).toLowerCase() + name.slice(1)
  return parent === '' ? own : `${parent}.${own}`
}
