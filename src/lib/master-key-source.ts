import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { MASTER_KEY_BYTES, MasterKey } from './master-key.ts'

/** Where an operator has put the master key. */
export type MasterKeySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'text'; readonly text: string }
  /** A line for `sh`, whose output is the key. */
  | { readonly kind: 'command'; readonly command: string }

export interface CommandLimits {
  readonly timeoutMs: number
}

/** The name, in the data directory, of the key that an installation makes for itself. */
export const OWN_MASTER_KEY_FILE = 'master.key'

const OUTPUT_BYTES_MAX = 64 * 1024

/** The master key cannot be had; the sentence names the source and never the key. */
export class MasterKeyUnavailable extends Error {
  override readonly name = 'MasterKeyUnavailable'
}

/** Reads the master key, once for the life of the process. Throws `MasterKeyUnavailable`. */
export function readMasterKey(
  source: MasterKeySource,
  { timeoutMs }: CommandLimits = { timeoutMs: 30_000 },
): MasterKey {
  const text = source.kind === 'text' ? source.text : attempt(source, () => textFrom(source, timeoutMs))
  const [first, ...earlier] = parseMasterKeys(text) ?? []
  if (first === undefined) throw new MasterKeyUnavailable(`${nameOf(source)} holds no master key: ${MASTER_KEY_FORM}.`)
  return new MasterKey(first, ...earlier)
}

export const MASTER_KEY_FORM =
  'a key is 32 bytes in base64 or hexadecimal; earlier keys may follow it, with white space or commas between'

/** The keys that a text holds, the first one being the one that seals; `undefined` when it holds something else. */
export function parseMasterKeys(text: string): readonly Uint8Array[] | undefined {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  const keys = words.flatMap((word) => keyOf(word) ?? [])
  return words.length > 0 && keys.length === words.length ? keys : undefined
}

/** A fresh key, in the form in which it is written. */
export function newMasterKeyText(): string {
  return randomBytes(MASTER_KEY_BYTES).toString('base64')
}

/**
 * The key of an installation that was given none: a file beside its data, made when absent. `isNeeded` says whether some key must be
 * known already; then a fresh one would be of no use, and none is made.
 */
export async function readOwnMasterKey(path: string, isNeeded: () => Promise<boolean>): Promise<MasterKey> {
  if (!existsSync(path)) {
    if (await isNeeded())
      throw new MasterKeyUnavailable(
        `The secrets in the metadata are sealed, and the master key is neither configured nor in ${path}: restore that file, or give the key by ECRU_MASTER_KEY_FILE, ECRU_MASTER_KEY or ECRU_MASTER_KEY_COMMAND.`,
      )
    writeMasterKeyFile(path, [newMasterKeyText()])
  }
  return readMasterKey({ kind: 'file', path })
}

/** Writes a file of keys that only its owner can read, whole or not at all, and on the disk when it returns. */
export function writeMasterKeyFile(path: string, keyTexts: readonly string[]): void {
  const descriptor = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(descriptor, `${keyTexts.join('\n')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(`${path}.new`, path)
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function textFrom(source: Exclude<MasterKeySource, { readonly kind: 'text' }>, timeout: number): string {
  if (source.kind === 'file') return readFileSync(source.path, 'utf8')
  return execFileSync('/bin/sh', ['-c', source.command], {
    encoding: 'utf8',
    timeout,
    killSignal: 'SIGKILL',
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function attempt(source: MasterKeySource, read: () => string): string {
  try {
    return read()
  } catch (thrown) {
    throw new MasterKeyUnavailable(`${nameOf(source)} cannot be read: ${reasonOf(thrown)}.`)
  }
}

/** Without the error itself, which holds what the command has printed. */
function reasonOf(thrown: unknown): string {
  const { code, status, signal } = thrown as Partial<Record<'code' | 'status' | 'signal', string | number | null>>
  if (typeof status === 'number') return `it ended with exit code ${status}`
  if (code === 'ETIMEDOUT' || signal === 'SIGKILL') return 'it did not end in time'
  return typeof code === 'string' ? code : 'for an unknown reason'
}

function nameOf(source: MasterKeySource): string {
  if (source.kind === 'file') return `The master key file ${source.path}`
  return source.kind === 'text' ? 'ECRU_MASTER_KEY' : 'The output of ECRU_MASTER_KEY_COMMAND'
}

function keyOf(word: string): Uint8Array | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(word)) return Uint8Array.fromHex(word)
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(word)) return undefined
  return new Uint8Array(Buffer.from(word, 'base64'))
}
