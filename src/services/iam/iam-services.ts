import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { AccessKeys } from './access-keys.ts'
import { AccountFacts } from './account-facts.ts'
import { Attachments } from './attachments.ts'
import { Boundaries } from './boundaries.ts'
import { Entities } from './entities.ts'
import { EntityTags } from './entity-tags.ts'
import { Groups } from './groups.ts'
import { InlinePolicies } from './inline-policies.ts'
import { ManagedPolicies } from './managed-policies.ts'
import { OidcProviders } from './oidc-providers.ts'
import { OtherCredentials } from './other-credentials.ts'
import { Roles } from './roles.ts'
import { ServiceLinkedRoles } from './service-linked-roles.ts'
import { Simulations } from './simulation.ts'
import { Users } from './users.ts'

/** What IAM's operations are made of. */
export type IamServices = ReturnType<typeof createIamServices>

/** Makes the services of IAM. `partition` is that of the installation, as ARNs begin. */
export function createIamServices(metadata: MetadataStore, access: Access, clock: Clock, ids: Ids, partition: string) {
  const entities = new Entities(metadata, access, clock, ids, partition)
  const managedPolicies = new ManagedPolicies(entities)
  const oidcProviders = new OidcProviders(entities)
  return {
    entities,
    simulations: new Simulations(entities),
    users: new Users(entities),
    groups: new Groups(entities),
    roles: new Roles(entities),
    managedPolicies,
    inlinePolicies: new InlinePolicies(entities),
    attachments: new Attachments(entities),
    boundaries: new Boundaries(entities),
    accountFacts: new AccountFacts(entities),
    accessKeys: new AccessKeys(entities),
    oidcProviders,
    otherCredentials: new OtherCredentials(entities),
    serviceLinkedRoles: new ServiceLinkedRoles(entities),
    entityTags: new EntityTags(entities, managedPolicies, oidcProviders),
  }
}
