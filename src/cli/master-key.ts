import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../config/config.ts'
import { silentLogger } from '../lib/logger.ts'
import { newMasterKeyText, OWN_MASTER_KEY_FILE, writeMasterKeyFile } from '../lib/master-key-source.ts'
import { lockDataDirectory } from './data-lock.ts'
import type { Invocation } from './invocation.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

/** `ecru master-key generate`: a fresh key on standard output. */
export function generateMasterKey(terminal: Terminal): number {
  terminal.out(`${newMasterKeyText()}\n`)
  return EXIT.ok
}

/**
 * `ecru master-key rotate`: puts a new key in front of those in the key file, has everything sealed with it, and then takes the
 * others away. Broken off at any moment, the file holds every key that is still needed.
 */
export async function rotateMasterKey({ options, terminal, createApp }: Invocation): Promise<number> {
  const { config } = readConfig(terminal.env, options)
  if (config.storage.kind === 'memory') throw new CommandFailure('A registry in memory has no master key to rotate.')
  if (config.masterKey !== undefined && config.masterKey.kind !== 'file')
    throw new CommandFailure(
      'The master key does not come from a file: put a new key (`ecru master-key generate`) in front of the old one where it comes from, and start the server.',
    )
  const lock = lockDataDirectory(config.storage.path, 'master-key rotate')
  try {
    // With the keys of today, so that a wrong one is noticed before anything is changed.
    await (await createApp(config, silentLogger)).close()
    const path = config.masterKey?.path ?? join(config.storage.path, OWN_MASTER_KEY_FILE)
    const fresh = newMasterKeyText()
    writeMasterKeyFile(path, [fresh, readFileSync(path, 'utf8').trim()])
    await (await createApp(config, silentLogger)).close()
    writeMasterKeyFile(path, [fresh])
    terminal.out(`Everything is sealed with the new key in ${path}.\n`)
    return EXIT.ok
  } finally {
    lock.release()
  }
}
