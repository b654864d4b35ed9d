import { expect, test } from 'bun:test'
import { profilesFor } from './configuration.ts'

test('a rule without filters is for every repository, others for whole names by wildcards', () => {
  const rules = [
    { profileArn: 'all' },
    { profileArn: 'prod', repositoryFilters: ['prod/*'] },
    { profileArn: 'either', repositoryFilters: ['app', '*-api'] },
    { profileArn: 'exact', repositoryFilters: ['prod'] },
  ]
  expect(profilesFor({ rules }, 'prod/team/app')).toEqual(['all', 'prod'])
  expect(profilesFor({ rules }, 'prod')).toEqual(['all', 'exact'])
  expect(profilesFor({ rules }, 'prod/cart-api')).toEqual(['all', 'prod', 'either'])
  expect(profilesFor({ rules }, 'app2')).toEqual(['all'])
  expect(profilesFor({ rules: [] }, 'app')).toEqual([])
})

test('a profile of several rules signs once', () => {
  const rules = [{ profileArn: 'a' }, { profileArn: 'b' }, { profileArn: 'a', repositoryFilters: ['*'] }]
  expect(profilesFor({ rules }, 'app')).toEqual(['a', 'b'])
})
