import { distributionPeer } from './distribution-family.ts'

/** Debian's package docker-registry: distribution 2. */
export const dockerRegistry = distributionPeer('docker-registry', 'docker-registry')
