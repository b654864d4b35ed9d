import { describe, expect, test } from 'bun:test'
import { parseRegion, parseRegistryId, parseRepositoryName, type Region, type Registry } from '../names.ts'
import { checkConfiguration, destinationsOf, type ReplicationRule } from './configuration.ts'
import { waitAfterAttempt } from './replication.ts'

const HOME = registryIn('eu-west-1')
const FAR = registryIn('us-east-1')
const OTHER = registryIn('eu-west-1', '222222222222')

function registryIn(region: string, account = '111111111111'): Registry {
  return { registryId: parseRegistryId(account), region: parseRegion(region) }
}

function reasonOf(...rules: ReplicationRule[]): string | undefined {
  try {
    checkConfiguration(HOME, { rules })
    return undefined
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

const to = (...destinations: Registry[]): ReplicationRule => ({ destinations })

describe('a replication configuration', () => {
  test('leads to other regions and other accounts', () => expect(reasonOf(to(FAR, OTHER))).toBeUndefined())

  test('does not lead home', () =>
    expect(reasonOf(to(FAR), to(HOME))).toBe(
      "Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: 'Replication destination cannot be the same as the source registry'",
    ))

  test('does not leave the partition', () => expect(reasonOf(to(registryIn('cn-north-1')))).toContain('partition'))

  test('names regions that can be ones', () =>
    expect(reasonOf(to({ ...FAR, region: 'Not A Region' as Region }))).toContain('region'))

  test('has ten rules at most', () => {
    expect(reasonOf(...Array<ReplicationRule>(10).fill(to(FAR)))).toBeUndefined()
    expect(reasonOf(...Array<ReplicationRule>(11).fill(to(FAR)))).toContain('10')
  })

  test('has 25 destinations at most, each counted once', () => {
    const many = Array.from({ length: 26 }, (_, index) => registryIn('eu-west-2', String(300_000_000_000 + index)))
    expect(reasonOf(to(...many.slice(1)), to(...many.slice(1)))).toBeUndefined()
    expect(reasonOf(to(...many.slice(0, 20)), to(...many.slice(20)))).toContain('25')
  })

  test('has a hundred filters in a rule at most', () => {
    expect(reasonOf({ ...to(FAR), repositoryPrefixes: Array<string>(101).fill('prod') })).toContain('100')
  })
})

describe('the destinations of a repository', () => {
  const prod = { ...to(FAR, OTHER), repositoryPrefixes: ['prod', 'team/'] }
  const found = (name: string, ...rules: ReplicationRule[]) => destinationsOf({ rules }, parseRepositoryName(name))

  test('are those of rules whose prefix its name has', () => {
    expect(found('production/app', prod)).toEqual([FAR, OTHER])
    expect(found('team/app', prod)).toEqual([FAR, OTHER])
    expect(found('team', prod)).toEqual([])
    expect(found('my/prod', prod)).toEqual([])
  })

  test('are those of every rule without filters, each once', () => {
    expect(found('prod/x', to(FAR), prod)).toEqual([FAR, OTHER])
    expect(found('any', to(FAR))).toEqual([FAR])
    expect(found('any')).toEqual([])
  })
})

test('attempts come at growing distances, up to ten minutes', () => {
  expect([1, 2, 3, 9, 10, 500].map(waitAfterAttempt)).toEqual([2_000, 4_000, 8_000, 512_000, 600_000, 600_000])
})
