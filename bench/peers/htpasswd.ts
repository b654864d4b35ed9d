import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const user = 'AWS'
const password = 'benchmark'

/** The login that every peer is started with. */
export const peerAuthorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** Writes an htpasswd file with that login at bcrypt's lowest cost, which favours the peers, and returns its path. */
export async function writeHtpasswd(directory: string): Promise<string> {
  const hash = await Bun.password.hash(password, { algorithm: 'bcrypt', cost: 4 })
  const path = join(directory, 'htpasswd')
  await writeFile(path, `${user}:${hash}\n`)
  return path
}
