import type { Registry } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import type { Access } from './access.ts'

/** What holds for a registry as a whole. There is always one, for every account in every region. */
export interface RegistryDescription {
  /** To where its images are copied: nowhere, as nothing here copies yet. */
  readonly replicationRules: readonly never[]
}

/** Registries as a whole. */
export class Registries {
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  async describe(principal: Principal, registry: Registry): Promise<RegistryDescription> {
    await this.#access.authorize(principal, 'ecr:DescribeRegistry', registry)
    return { replicationRules: [] }
  }
}
