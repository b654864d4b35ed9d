import { partitionOf } from '../domain/arn.ts'
import type { Access } from '../services/access/access.ts'
import { DeletionReplication } from '../services/replication/deletion-replication.ts'
import { PushReplication } from '../services/replication/push-replication.ts'
import { ReplicaDeletion } from '../services/replication/replica-deletion.ts'
import { Replication } from '../services/replication/replication.ts'
import { ReplicationCommands } from '../services/replication/replication-commands.ts'
import { LinkedReplicationRole } from '../services/replication/replication-role.ts'
import type { Foundation } from './foundation.ts'

/** What has to do with copies of images in other registries. `onRequested` hears of what is to be done elsewhere. */
export function createReplicationServices(foundation: Foundation, access: Access, onRequested: () => void) {
  const { config, clock, ids, metadata } = foundation
  const { tags, deletions } = config.replication
  const pushReplication = new PushReplication(clock, onRequested, tags)
  // What makes roles is loaded when replication is configured first.
  const role = new LinkedReplicationRole(metadata, async () => {
    const { createIamServices } = await import('../services/iam/iam-services.ts')
    const partition = partitionOf(config.defaultRegistry.region)
    return createIamServices(metadata, access, clock, ids, partition).serviceLinkedRoles
  })
  return {
    pushReplication,
    deletionReplication: new DeletionReplication(clock, deletions, onRequested),
    replicaDeletion: new ReplicaDeletion(metadata, access, clock),
    replication: new Replication(metadata, access, role),
    replicationCommands: new ReplicationCommands(metadata, pushReplication, config.defaultRegistry, clock),
  }
}
