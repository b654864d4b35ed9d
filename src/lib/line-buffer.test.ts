import { afterEach, beforeEach, expect, test } from 'bun:test'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LineBuffer } from './line-buffer.ts'

let directory: string
let file: string
let descriptor: number

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ecru-lines-'))
  file = join(directory, 'log')
  descriptor = openSync(file, 'w')
})

afterEach(() => {
  closeSync(descriptor)
  rmSync(directory, { recursive: true })
})

test('lines wait for company, and a flush writes them in order', () => {
  const lines = new LineBuffer(descriptor)
  lines.write('one\n')
  lines.write('two\n')
  expect(readFileSync(file, 'utf8')).toBe('')
  lines.flush()
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n')
})

test('many lines are written without being asked', () => {
  const lines = new LineBuffer(descriptor)
  for (let index = 0; index < 1000; index++) lines.write(`${'x'.repeat(99)}\n`)
  expect(readFileSync(file).byteLength).toBeGreaterThan(80_000)
})

test('nobody reading is no failure', () => {
  const readOnly = openSync(file, 'r')
  const lines = new LineBuffer(readOnly)
  lines.write('lost\n')
  lines.flush()
  lines.write('lost as well\n')
  lines.flush()
  closeSync(readOnly)
})
