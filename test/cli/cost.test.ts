import { expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { showCost } from '../../src/cli/cost.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

const REPORT = {
  pricePerGbMonth: 0.1,
  storedBytes: 3 * 1024 ** 3,
  heldBytes: 4 * 1024 ** 3,
  repositories: [
    {
      ...{ registryId: '000000000000', region: 'us-east-1', repositoryName: 'shop', imageCount: 3 },
      ...{ sizeBytes: 2 * 1024 ** 3, ownBytes: 1024 ** 3, shareBytes: 1.5 * 1024 ** 3, costPerMonth: 0.15 },
      ...{ expiringBytes: 1024 ** 3, savingPerMonth: 0.1 },
    },
    {
      ...{ registryId: '000000000000', region: 'us-east-1', repositoryName: 'x', imageCount: 1 },
      ...{ sizeBytes: 1, ownBytes: 0, shareBytes: 1, costPerMonth: 0 },
    },
  ],
}

test('ecru cost prints a table, or all as JSON', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ecru-cost-'))
  const app = fakeApp({ costs: async () => REPORT })
  const print = async (flags: Readonly<Record<string, unknown>>) => {
    const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
    expect(await showCost({ options: {}, flags, terminal, createApp: app })).toBe(0)
    return terminal.said()
  }
  const said = await print({})
  expect(said).toMatch(/^REPOSITORY +IMAGES +SIZE +OWN +SHARE +PER MONTH +EXPIRING +SAVES$/m)
  expect(said).toMatch(/^000000000000\/us-east-1\/shop +3 +2.00 GiB +1.00 GiB +1.50 GiB +0.15 +1.00 GiB +0.10$/m)
  expect(said).toMatch(/^000000000000\/us-east-1\/x +1 +1 B +0 B +1 B +0.00$/m)
  expect(JSON.parse(await print({ json: true }))).toEqual(REPORT)
  await rm(directory, { recursive: true })
})
