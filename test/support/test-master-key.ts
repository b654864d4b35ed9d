import { MasterKey } from '../../src/lib/master-key.ts'

/** Seals what tests keep, in every process alike. */
export const testMasterKey = new MasterKey(new Uint8Array(32).fill(7))
