import { createHmac } from 'node:crypto'

/** Derived keys remembered; each lives for the day it was derived for. */
const REMEMBERED_MAX = 512

const remembered = new Map<string, Buffer>()

/** What a signature's scope binds it to. */
export interface Scope {
  /** `20260101` */
  readonly date: string
  readonly region: string
  readonly service: string
}

/**
 * The key that signs requests of one day, region and service. Remembered, because deriving it costs four HMACs and a
 * client uses the same for all its requests of the day.
 */
export function signingKey(secretAccessKey: string, { date, region, service }: Scope): Buffer {
  const name = `${date}/${region}/${service}/${secretAccessKey}`
  const known = remembered.get(name)
  if (known !== undefined) return known
  const derived = [region, service, 'aws4_request'].reduce(hmac, hmac(Buffer.from(`AWS4${secretAccessKey}`), date))
  if (remembered.size >= REMEMBERED_MAX) remembered.clear()
  remembered.set(name, derived)
  return derived
}

export function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}
