import { expect, test } from 'bun:test'
import { printTable } from '../../src/cli/table.ts'

test('columns are as wide as they need to be, and numbers stand to the right', () => {
  const rows = [
    ['app', 12_000, 'v1'],
    ['team/service', 3, ''],
  ]
  expect(printTable(['NAME', 'IMAGES', 'TAG'], rows)).toBe(
    ['NAME          IMAGES  TAG', 'app           12,000  v1', 'team/service       3', ''].join('\n'),
  )
})

test('without rows there is no table', () => expect(printTable(['NAME'], [])).toBe(''))
