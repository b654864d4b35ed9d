import type { Gate } from '../lib/gate.ts'
import type { Backups } from './backup-runs.ts'
import type { Foundation } from './foundation.ts'

/** What makes backups is loaded when the first one is asked for. */
export function createBackups(foundation: Foundation, deletion: Gate, signal: AbortSignal): Backups {
  let opened: Promise<Backups> | undefined
  const open = () => {
    opened ??= import('./backup-runs.ts').then(({ openBackups }) => openBackups(foundation, deletion, signal))
    return opened
  }
  return {
    run: async (order) => (await open()).run(order),
    stream: async (request) => (await open()).stream(request),
    ended: async () => (await opened)?.ended(),
  }
}
