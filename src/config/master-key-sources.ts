import type { MasterKeySource } from '../lib/master-key-source.ts'
import type { Environment } from './env.ts'

/** Every source of the master key that is named; only one may be. */
export function masterKeySourcesOf(env: Environment): readonly MasterKeySource[] {
  const { ECRU_MASTER_KEY_FILE: path, ECRU_MASTER_KEY: text, ECRU_MASTER_KEY_COMMAND: command } = env
  return [
    ...(path === undefined ? [] : [{ kind: 'file', path } as const]),
    ...(text === undefined ? [] : [{ kind: 'text', text } as const]),
    ...(command === undefined ? [] : [{ kind: 'command', command } as const]),
  ]
}
