import { expect, test } from 'bun:test'
import { insertLists, paddedLists } from './parameter-lists.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

test('padded lists hold every element, and only lengths that are powers of two', () => {
  for (const count of [0, 1, 2, 3, 5, 8, 100, 512, 513, 1300]) {
    const lists = paddedLists(numbers(count))
    expect([...new Set(lists.flat())]).toEqual(numbers(count))
    for (const list of lists) expect(Math.log2(list.length) % 1).toBe(0)
    expect(lists.length).toBe(Math.ceil(count / 512))
  }
  expect(paddedLists(['a', 'b', 'c'])).toEqual([['a', 'b', 'c', 'c']])
})

test('insert lists hold every element once, in lengths that are powers of two', () => {
  for (const count of [0, 1, 2, 3, 5, 8, 100, 512, 513, 1300]) {
    const lists = insertLists(numbers(count))
    expect(lists.flat()).toEqual(numbers(count))
    for (const list of lists) expect(Math.log2(list.length) % 1).toBe(0)
  }
})
