import { createHmac } from 'node:crypto'

/** What the chain begins with. */
export const GENESIS = ''

/** A line of a file: a record, or what the log says of itself at the head of a file. */
export interface Link {
  readonly sequence: number
  readonly mac: string
  /** The text that the code covers beside number and predecessor. */
  readonly body: string
}

/** The code of a record: a keyed hash of its number, its text and the code before it. */
export function macOf(key: Uint8Array, previous: string, sequence: number, body: string): string {
  return createHmac('sha256', key).update(`${previous}\n${sequence}\n`).update(body).digest('base64url')
}

/** `{"seq":…,"mac":"…","record":BODY}`: a line of JSON in which the body stands as it is. */
export function printLink({ sequence, mac, body }: Link): string {
  return `{"seq":${sequence},"mac":"${mac}","record":${body}}\n`
}

const LINE = /^\{"seq":(\d{1,15}),"mac":"([\w-]{43})","record":(.*)\}$/s

/** `undefined`: not what `printLink` writes. */
export function readLink(line: string): Link | undefined {
  const [, sequence, mac, body] = LINE.exec(line) ?? []
  if (sequence === undefined || mac === undefined || body === undefined) return undefined
  return { sequence: Number(sequence), mac, body }
}
