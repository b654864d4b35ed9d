import { expect, test } from 'bun:test'
import { accessKeyIdOf, accountOfAccessKeyId } from './access-key-id.ts'
import { parseRegistryId } from './names.ts'

test('a key id holds its account, as those of AWS do', () => {
  // The published example of how to read one.
  expect(accountOfAccessKeyId('ASIAQNZGKIQY56JQ7WML')).toBe(parseRegistryId('029608264753'))
  for (const account of ['000000000000', '123456789012', '999999999999'])
    for (const random of [0, 255]) {
      const id = accessKeyIdOf('AKIA', parseRegistryId(account), new Uint8Array(5).fill(random))
      expect(id).toMatch(/^AKIA[A-Z2-7]{16}$/)
      expect(accountOfAccessKeyId(id)).toBe(parseRegistryId(account))
    }
})

test.each(['', 'test', '123456789012', 'AKIAIOSFODNN7EXAMPLE', 'AKIA0000000000000000'])('%p holds none', (id) =>
  expect(accountOfAccessKeyId(id)).toBeUndefined(),
)
