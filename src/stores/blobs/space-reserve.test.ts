import { describe, expect, test } from 'bun:test'
import { SpaceReserve } from './space-reserve.ts'

const MIB = 1024 * 1024
const withCode = expect.objectContaining({ code: 'storage-full' })

describe('the reserve', () => {
  test('is 64 MiB of a large file system', () => {
    let freeBytes = 80 * MIB
    const reserve = new SpaceReserve('/', () => ({ totalBytes: 1000 * 1024 * MIB, freeBytes }))
    reserve.take(1)
    freeBytes = 66 * MIB
    expect(() => reserve.take(5 * MIB)).toThrow(withCode)
  })

  test('is a twentieth of a small one', () => {
    let freeBytes = 10 * MIB
    const reserve = new SpaceReserve('/', () => ({ totalBytes: 40 * MIB, freeBytes }))
    reserve.take(MIB)
    freeBytes = 2 * MIB
    expect(() => reserve.take(4 * MIB)).toThrow(withCode)
  })

  test('is looked at again as soon as it was reached', () => {
    let freeBytes = 0
    const reserve = new SpaceReserve('/', () => ({ totalBytes: 40 * MIB, freeBytes }))
    expect(() => reserve.take(1)).toThrow(withCode)
    expect(() => reserve.take(1)).toThrow(withCode)
    freeBytes = 40 * MIB
    reserve.take(1)
  })

  test('is not looked at for every chunk', () => {
    let looks = 0
    const reserve = new SpaceReserve('/', () => ({ totalBytes: 1024 * MIB, freeBytes: 1024 * MIB - ++looks }))
    for (let i = 0; i < 1024; i++) reserve.take(16 * 1024)
    expect(looks).toBeLessThanOrEqual(6)
  })
})
