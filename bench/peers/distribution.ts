import { distributionPeer } from './distribution-family.ts'

/** Current distribution (3), whose program is called `registry`. */
export const distribution = distributionPeer('distribution', 'registry')
