import { type JsonObject, objectOf } from '../json-values.ts'

/** Why one file inside an image cannot be read: its parser throws nothing else. */
export class MalformedFile extends Error {
  override readonly name = 'MalformedFile'
}

/** Runs a parser over foreign text; what JSON and the like throw becomes {@link MalformedFile}. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes))
  } catch {
    throw new MalformedFile('it is not valid JSON')
  }
}

const utf8 = new TextDecoder()

/** UTF-8, with a replacement for what is none; a byte order mark is dropped. */
export function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes)
}

/** The members of a JSON object; empty for anything else. */
export function membersOf(value: unknown): JsonObject {
  return objectOf(value) ?? {}
}

/** A text that is there, trimmed; `undefined` for anything else. */
export function wordOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const word = value.trim()
  return word === '' ? undefined : word
}
