import { requestMalformed } from '../../domain/errors.ts'
import { type ServiceModel, shapeOf } from './model.ts'

const DEPTH_MAX = 32
const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE] = [0, 1, 2, 3, 4, 5, 6, 7] as const
const INDEFINITE = 31
const BREAK = 0xff
const TAG_EPOCH = 1

/**
 * What a CBOR document (RFC 8949) says, as JSON would: moments as epoch seconds, bytes in base64. Throws `request-malformed`.
 */
export function readCbor(bytes: Uint8Array): unknown {
  const reader = new CborReader(bytes)
  const value = reader.read(0)
  if (!reader.isAtEnd) throw malformed()
  return value
}

class CborReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  read(depth: number): unknown {
    if (depth > DEPTH_MAX) throw malformed()
    const first = this.#byte()
    const [major, info] = [first >> 5, first & 31]
    switch (major) {
      case UNSIGNED:
        return this.#argument(info)
      case NEGATIVE:
        return -1 - this.#argument(info)
      case BYTES:
        return this.#string(info, BYTES).toBase64()
      case TEXT:
        return utf8(this.#string(info, TEXT))
      case ARRAY:
        return this.#items(info, () => this.read(depth + 1))
      case MAP: {
        const entries = this.#items(info, () => {
          const key = this.read(depth + 1)
          if (typeof key !== 'string') throw malformed()
          return [key, this.read(depth + 1)] as const
        })
        return Object.fromEntries(entries)
      }
      case TAG: {
        const tag = this.#argument(info)
        const value = this.read(depth + 1)
        if (tag !== TAG_EPOCH || typeof value !== 'number') throw malformed()
        return value
      }
      default:
        return this.#simple(info)
    }
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false
      case 21:
        return true
      case 22:
      case 23:
        return null
      case 25:
        return half(this.#view.getUint16(this.#advance(2)))
      case 26:
        return this.#view.getFloat32(this.#advance(4))
      case 27:
        return this.#view.getFloat64(this.#advance(8))
      default:
        throw malformed()
    }
  }

  #items<Item>(info: number, read: () => Item): Item[] {
    const items: Item[] = []
    if (info === INDEFINITE) {
      while (!this.#isBreak()) items.push(read())
      return items
    }
    const count = this.#argument(info)
    // Each takes a byte at least.
    if (count > this.#bytes.length - this.#at) throw malformed()
    for (let index = 0; index < count; index++) items.push(read())
    return items
  }

  #string(info: number, major: number): Uint8Array {
    if (info !== INDEFINITE) return this.#take(this.#argument(info))
    const parts: Uint8Array[] = []
    while (!this.#isBreak()) {
      const first = this.#byte()
      if (first >> 5 !== major || (first & 31) === INDEFINITE) throw malformed()
      parts.push(this.#take(this.#argument(first & 31)))
    }
    return Buffer.concat(parts)
  }

  #isBreak(): boolean {
    if (this.#bytes[this.#at] !== BREAK) return false
    this.#at++
    return true
  }

  #argument(info: number): number {
    if (info < 24) return info
    switch (info) {
      case 24:
        return this.#byte()
      case 25:
        return this.#view.getUint16(this.#advance(2))
      case 26:
        return this.#view.getUint32(this.#advance(4))
      case 27:
        return Number(this.#view.getBigUint64(this.#advance(8)))
      default:
        throw malformed()
    }
  }

  #byte(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  #take(length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  #advance(length: number): number {
    const start = this.#at
    if (length > this.#bytes.length - start) throw malformed()
    this.#at += length
    return start
  }
}

/** A value of a shape in CBOR; members that are `undefined`, or that the shape has not, are left out. */
export function writeCbor(model: ServiceModel, shape: string | undefined, value: object): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  if (shape === undefined) parts.push(head(MAP, 0))
  else write(model, shape, value, parts)
  return Buffer.concat(parts)
}

/** An error: texts alone. */
export function writeCborTexts(members: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(members)
  return Buffer.concat([head(MAP, entries.length), ...entries.flatMap(([name, value]) => [text(name), text(value)])])
}

function write(model: ServiceModel, name: string, value: unknown, parts: Uint8Array[]): void {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'structure': {
      const members = Object.entries(value as object).flatMap(([member, one]) => {
        const target = shape.members?.[member]
        return target === undefined || one === undefined ? [] : [[member, target.shape, one] as const]
      })
      parts.push(head(MAP, members.length))
      for (const [member, target, one] of members) {
        parts.push(text(member))
        write(model, target, one, parts)
      }
      return
    }
    case 'list': {
      const items = value as readonly unknown[]
      parts.push(head(ARRAY, items.length))
      for (const item of items) write(model, shape.member?.shape ?? '', item, parts)
      return
    }
    case 'map': {
      const entries = Object.entries(value as object)
      parts.push(head(MAP, entries.length))
      for (const [key, one] of entries) {
        parts.push(text(key))
        write(model, shape.value?.shape ?? '', one, parts)
      }
      return
    }
    case 'timestamp':
      parts.push(head(TAG, TAG_EPOCH), double((value as Date).getTime() / 1000))
      return
    case 'boolean':
      parts.push(Uint8Array.of((SIMPLE << 5) | (value === true ? 21 : 20)))
      return
    case 'integer':
    case 'long': {
      const number = Number(value)
      parts.push(number < 0 ? head(NEGATIVE, -1 - number) : head(UNSIGNED, number))
      return
    }
    case 'float':
    case 'double':
      parts.push(double(Number(value)))
      return
    default:
      parts.push(text(String(value)))
  }
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value)
  return Buffer.concat([head(TEXT, bytes.length), bytes])
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes[0] = (SIMPLE << 5) | 27
  bytes.writeDoubleBE(value, 1)
  return bytes
}

function head(major: number, argument: number): Uint8Array {
  if (argument < 24) return Uint8Array.of((major << 5) | argument)
  const bytes = Buffer.alloc(9)
  bytes[0] = (major << 5) | 27
  bytes.writeBigUInt64BE(BigInt(argument), 1)
  return bytes
}

/** RFC 8949, appendix D. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 0x3ff]
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed()
  }
}

function malformed(): Error {
  return requestMalformed('The request body is not valid CBOR')
}
