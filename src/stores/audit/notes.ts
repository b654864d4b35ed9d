import { open } from 'node:fs/promises'
import { readLink } from './chain.ts'

/** What the log says of itself, between the records. */
export type Note =
  /** A file begins. */
  | { readonly startedAt: string; readonly previous: string }
  /** Records that could neither be written nor kept. */
  | { readonly lost: number }
  /** Files before this record are removed, since they are old or too many. */
  | { readonly removedBefore: number }

const START = '{"ecruAudit":'

/** A remark of the log about itself, as its line; records of calls never begin like that. */
export function noteOf(note: Note): string {
  return `${START}${JSON.stringify(note)}}`
}

export function isNote(body: string): boolean {
  return body.startsWith(START)
}

export function readNote(body: string): Note | undefined {
  if (!isNote(body)) return undefined
  const { ecruAudit } = JSON.parse(body) as { readonly ecruAudit: Note }
  return ecruAudit
}

const HEADER_BYTES_MAX = 1024

/** When a file began. Throws when it does not begin as files do. */
export async function startOf(path: string): Promise<Date> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES_MAX), 0, HEADER_BYTES_MAX, 0)
    const [line = ''] = buffer.subarray(0, bytesRead).toString().split('\n', 1)
    const note = readNote(readLink(line)?.body ?? '')
    if (note === undefined || !('startedAt' in note)) throw new Error(`${path} does not begin as an audit log does`)
    return new Date(note.startedAt)
  } finally {
    await handle.close()
  }
}
