import { timingSafeEqual } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import type { AuditHead, AuditReport } from '../audit.ts'
import { GENESIS, macOf, readLink } from './chain.ts'
import { isNote, readNote } from './notes.ts'

const FAULTS_MAX = 20

/**
 * Reads a whole log again, oldest file first, and holds every code against text and predecessor. Nothing may be missing in
 * between, at the beginning only what the log itself says it removed, and nothing at the end that once was safe (`head`).
 */
export async function verifyFiles(
  paths: readonly string[],
  key: Uint8Array,
  head: AuditHead | undefined,
): Promise<AuditReport> {
  const faults: string[] = []
  let previous: AuditHead | undefined
  let first: number | undefined
  let removedBefore = 1
  let records = 0
  let headSeen = head === undefined || head.sequence === 0
  for (const path of paths) {
    const name = basename(path)
    let lineNumber = 0
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      lineNumber++
      const where = `${name}, line ${lineNumber}`
      const link = readLink(line)
      if (link === undefined) {
        faults.push(`${where} is no record.`)
        if (faults.length >= FAULTS_MAX) break
        continue
      }
      const note = readNote(link.body)
      if (previous === undefined) {
        first = link.sequence
        // The oldest file that is kept says what the chain had come to.
        const anchor = note !== undefined && 'previous' in note ? note.previous : GENESIS
        previous = { sequence: link.sequence - 1, mac: anchor }
      }
      if (link.sequence !== previous.sequence + 1)
        faults.push(`${where}: record ${link.sequence} follows record ${previous.sequence}.`)
      const expected = macOf(key, previous.mac, link.sequence, link.body)
      if (!isSame(expected, link.mac)) faults.push(`${where}: record ${link.sequence} is not what was written.`)
      if (note !== undefined && 'removedBefore' in note) removedBefore = Math.max(removedBefore, note.removedBefore)
      if (head !== undefined && link.sequence === head.sequence) {
        headSeen = true
        if (link.mac !== head.mac) faults.push(`${where}: record ${link.sequence} is another one than it was.`)
      }
      if (!isNote(link.body)) records++
      previous = { sequence: link.sequence, mac: link.mac }
      if (faults.length >= FAULTS_MAX) break
    }
    if (faults.length >= FAULTS_MAX) break
  }
  if (first !== undefined && first > removedBefore && faults.length < FAULTS_MAX)
    faults.push(`Records ${removedBefore} to ${first - 1} are gone, and the log did not remove them.`)
  if (!headSeen && head !== undefined && faults.length < FAULTS_MAX)
    faults.push(`The log ends with record ${previous?.sequence ?? 0}, and it has been at ${head.sequence}.`)
  return {
    isIntact: faults.length === 0,
    records,
    files: paths.length,
    first,
    last: previous?.sequence,
    faults,
  }
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
