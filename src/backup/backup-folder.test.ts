import { expect, test } from 'bun:test'
import { newSnapshotId } from './backup-folder.ts'

test('snapshots sort as they were begun, those of one second too', () => {
  const begun = [0, 1, 9, 15, 16, 99, 255, 256, 999, 1000, 59_999, 60_000].map((ms) => new Date(1_782_000_000_000 + ms))
  const ids = begun.map(newSnapshotId)
  expect(ids.toSorted()).toEqual(ids)
  for (const id of ids) expect(id).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{8}$/)
})
