import { Database } from 'bun:sqlite'
import { workerProgram } from '../../lib/worker-program.ts'
import type { CopyNews, CopyOrder } from './copy-worker.ts'

/**
 * Writes one state of a metadata file to `copy`, which must not be there, in a thread of its own: neither readers nor
 * writers wait for it. The bytes are with the kernel when it answers, and not yet on the disk for certain.
 */
export async function copyMetadataFile(file: string, copy: string): Promise<void> {
  const worker = new Worker(workerProgram('stores/metadata/copy-worker.ts'))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const fail = (message: string) => reject(new Error(`The metadata cannot be copied: ${message}`))
  worker.onmessage = ({ data }: MessageEvent<CopyNews>) => (data.kind === 'done' ? resolve() : fail(data.message))
  worker.onerror = ({ message }) => fail(message)
  worker.addEventListener('close', () => fail('the thread ended'))
  try {
    worker.postMessage({ file, copy } satisfies CopyOrder)
    await promise
  } finally {
    worker.terminate()
  }
}

/** What is wrong with a metadata file that nobody has open, one sentence each; none is good news. */
export function faultsOfMetadataFile(file: string): readonly string[] {
  let database: Database | undefined
  try {
    database = new Database(file, { readwrite: true, create: false })
    const checks = database.query<{ integrity_check: string }, []>('pragma integrity_check').all()
    const keys = database.query<{ table: string }, []>('pragma foreign_key_check').all()
    return [
      ...checks.map(({ integrity_check }) => integrity_check).filter((text) => text !== 'ok'),
      ...keys.map(({ table }) => `a row of ${table} refers to one that is not there`),
    ].slice(0, 20)
  } catch (thrown) {
    return [thrown instanceof Error ? thrown.message : String(thrown)]
  } finally {
    database?.close()
  }
}
