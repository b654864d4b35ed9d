/** A condition on texts. */
export interface StringFilter {
  readonly comparison: 'EQUALS' | 'PREFIX' | 'NOT_EQUALS'
  readonly value: string
}
export interface NumberFilter {
  readonly lowerInclusive?: number
  readonly upperInclusive?: number
}
export interface DateFilter {
  readonly startInclusive?: Date
  readonly endInclusive?: Date
}
/** On coverage the bounds of numbers and moments have the same names. */
type AnyFilter = StringFilter | NumberFilter | DateFilter | PackageFilter
export interface PackageFilter {
  readonly name?: StringFilter
  readonly version?: StringFilter
  readonly release?: StringFilter
  readonly architecture?: StringFilter
  readonly epoch?: NumberFilter
  readonly filePath?: StringFilter
  readonly sourceLayerHash?: StringFilter
}

/** What something has under the name of a filter: one value, several, or none. */
type Value = string | number | Date | undefined
type One = Value | Readonly<Record<string, Value>>
export type Values = Readonly<Record<string, One | readonly One[]>>

/**
 * Whether something satisfies all filters: of those under one name one must hold, and all that exclude. What it does not
 * have equals nothing.
 */
export function satisfies(
  filters: Readonly<Record<string, readonly AnyFilter[] | undefined>>,
  values: Values,
): boolean {
  return Object.entries(filters).every(([name, conditions]) => {
    if (conditions === undefined || conditions.length === 0) return true
    const value = values[name]
    const isExcluding = (filter: AnyFilter) => 'comparison' in filter && filter.comparison === 'NOT_EQUALS'
    const including = conditions.filter((filter) => !isExcluding(filter))
    return (
      conditions.filter(isExcluding).every((filter) => holds(filter, value)) &&
      (including.length === 0 || including.some((filter) => holds(filter, value)))
    )
  })
}

function holds(filter: AnyFilter, value: One | readonly One[]): boolean {
  if (isList(value)) {
    if ('comparison' in filter && filter.comparison === 'NOT_EQUALS') return value.every((one) => holds(filter, one))
    return value.some((one) => holds(filter, one))
  }
  if ('comparison' in filter) return compares(filter, value as Value)
  if (typeof value === 'number') {
    const { lowerInclusive: lower = -Infinity, upperInclusive: upper = Infinity } = filter as NumberFilter
    return value >= lower && value <= upper
  }
  if (value instanceof Date) {
    const { startInclusive: start, endInclusive: end } = filter as DateFilter
    return (start === undefined || value >= start) && (end === undefined || value <= end)
  }
  if (typeof value !== 'object' || value === null) return false
  const members = value as Readonly<Record<string, Value>>
  return Object.entries(filter).every(([name, one]) => one === undefined || holds(one as AnyFilter, members[name]))
}

function isList(value: One | readonly One[]): value is readonly One[] {
  return Array.isArray(value)
}

function compares({ comparison, value: wanted }: StringFilter, value: Value): boolean {
  const text = value === undefined ? undefined : String(value)
  if (comparison === 'NOT_EQUALS') return text !== wanted
  return comparison === 'EQUALS' ? text === wanted : (text?.startsWith(wanted) ?? false)
}
