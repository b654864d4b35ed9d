import { describe, expect, test } from 'bun:test'
import { parseRepositoryName } from '../names.ts'
import { matchesScanFilter, scanningOf } from './configuration.ts'

describe('a filter of scanning rules', () => {
  const names = ['prod', 'repo-prod', 'prod-repo', 'repo-prod-repo', 'prodrepo']
  test.each([
    ['prod', 'yyyyy'],
    ['*prod', 'yynnn'],
    ['prod*', 'ynyny'],
    ['*prod*', 'yyyyy'],
    ['prod*repo', 'nnyny'],
  ])('%s matches %s', (filter, expected) => {
    expect(names.map((name) => (matchesScanFilter(filter, name) ? 'y' : 'n')).join('')).toBe(expected)
  })
})

describe('how a repository is scanned', () => {
  const repository = { name: parseRepositoryName('app'), isScannedOnPush: true }
  const rule = { frequency: 'SCAN_ON_PUSH', filters: ['app', 'none'] } as const

  test('its own flag counts for basic scans only', () => {
    expect(scanningOf({ type: 'BASIC', rules: [] }, repository).isScannedOnPush).toBe(true)
    expect(scanningOf({ type: 'ENHANCED', rules: [] }, repository).isScannedOnPush).toBe(false)
    const manual = { frequency: 'MANUAL', filters: ['*'] } as const
    expect(scanningOf({ type: 'BASIC', rules: [manual] }, repository).frequency).toBe('SCAN_ON_PUSH')
  })

  test('only the filters that match are named', () => {
    expect(scanningOf({ type: 'ENHANCED', rules: [rule] }, repository)).toEqual({
      type: 'ENHANCED',
      frequency: 'SCAN_ON_PUSH',
      isScannedOnPush: true,
      appliedFilters: ['app'],
    })
  })

  test('continuous scans win', () => {
    const continuous = { frequency: 'CONTINUOUS_SCAN', filters: ['*'] } as const
    expect(scanningOf({ type: 'ENHANCED', rules: [rule, continuous] }, repository).frequency).toBe('CONTINUOUS_SCAN')
  })
})
