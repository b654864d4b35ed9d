import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MasterKey } from './master-key.ts'
import { newMasterKeyText, parseMasterKeys, readMasterKey, writeMasterKeyFile } from './master-key-source.ts'

const bytes = (fill: number) => new Uint8Array(32).fill(fill)
const base64 = (fill: number) => bytes(fill).toBase64()

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ecru-master-key-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('the text of master keys', () => {
  test('is base64 or hexadecimal, earlier keys after the first', () => {
    const keys = [bytes(1), bytes(2)]
    expect(parseMasterKeys(`${base64(1)}\n${bytes(2).toHex()}\n`)).toEqual(keys)
    expect(parseMasterKeys(` ${base64(1).slice(0, -1)}, ${bytes(2).toHex().toUpperCase()}`)).toEqual(keys)
    expect(parseMasterKeys(newMasterKeyText())?.map(({ length }) => length)).toEqual([32])
  })

  test('is refused as a whole when one of them is none', () => {
    for (const text of ['', ' \n', 'password', base64(1).slice(1), `${base64(1)} password`, 'ab'.repeat(31)])
      expect(parseMasterKeys(text)).toBeUndefined()
  })
})

describe('the master key', () => {
  test('is read from a file that only its owner can read', () => {
    const path = join(directory, 'key')
    writeMasterKeyFile(path, [base64(3), base64(4)])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toBe(`${base64(3)}\n${base64(4)}\n`)
    const key = readMasterKey({ kind: 'file', path })
    expect(key.id).toBe(new MasterKey(bytes(3)).id)
    expect(key.open(new MasterKey(bytes(4)).seal(bytes(9), 'x'), 'x')).toEqual(bytes(9))
  })

  test('is what a command prints', () => {
    expect(readMasterKey({ kind: 'command', command: `printf '%s' ${base64(5)}` }).id).toBe(new MasterKey(bytes(5)).id)
  })

  test('that cannot be had is said without saying what was found', () => {
    const path = join(directory, 'other')
    writeFileSync(path, 'password')
    const messageOf = (read: () => unknown): string => {
      try {
        read()
      } catch (thrown) {
        if (thrown instanceof Error && thrown.cause === undefined) return thrown.message
      }
      throw new Error('nothing was thrown')
    }
    expect(messageOf(() => readMasterKey({ kind: 'file', path }))).toStartWith(`The master key file ${path} holds no`)
    expect(messageOf(() => readMasterKey({ kind: 'file', path: join(directory, 'absent') }))).toEndWith(
      'absent cannot be read: ENOENT.',
    )
    const command = (line: string) => () =>
      readMasterKey({ kind: 'command', command: line }, { timeoutMs: line === 'sleep 60' ? 50 : 10_000 })
    expect(messageOf(command('echo password; exit 3'))).toBe(
      'The output of ECRU_MASTER_KEY_COMMAND cannot be read: it ended with exit code 3.',
    )
    expect(messageOf(command('sleep 60'))).toEndWith('it did not end in time.')
    expect(messageOf(command('echo password'))).toStartWith('The output of ECRU_MASTER_KEY_COMMAND holds no master key')
  })
})
