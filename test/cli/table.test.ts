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

test('what a terminal would obey is made visible', () =>
  expect(printTable(['VERSION'], [['1.0\u001b[2J\r\n\u202e0.1']])).toBe('VERSION\n1.0\ufffd[2J\ufffd\ufffd\ufffd0.1\n'))
